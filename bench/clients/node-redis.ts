import { createClient } from "redis";
import type { Commands } from "./commands.ts";

export function openNodeRedis(url: string) {
  const client = createClient({ url });
  client.on("error", (error) => console.error(error));
  return client.connect();
}

export function nodeRedisCommands(client: Awaited<ReturnType<typeof openNodeRedis>>): Commands {
  return {
    hgetall: (key) => client.hGetAll(key),
    hmget: (key, fields) => client.hmGet(key, fields),
    get: (key) => client.get(key),
    send: (command) => client.sendCommand(command),
    sendAll: (commands) => Promise.all(commands.map((command) => client.sendCommand(command))),
    sendAtomically: (commands) =>
      commands.reduce((multi, command) => multi.addCommand(command), client.multi()).exec(),
    close: () => client.destroy(),
  };
}
