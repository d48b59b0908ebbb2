import { Redis } from "ioredis";
import type { Commands } from "./commands.ts";

export function openIoredis(url: string): Redis {
  return new Redis(url);
}

export function ioredisCommands(client: Redis): Commands {
  return {
    hgetall: (key) => client.hgetall(key),
    hmget: (key, fields) => client.hmget(key, ...fields),
    get: (key) => client.get(key),
    // Not as many arguments of a call: a set may have more keys than the stack takes.
    send: ([name = "", ...args]) => client.call(name, args),
    sendAll: async (commands) => readReplies(await client.pipeline(commands).exec()),
    sendAtomically: async (commands) => readReplies(await client.multi(commands).exec()),
    close: () => client.disconnect(),
  };
}

function readReplies(replies: [Error | null, unknown][] | null): unknown[] {
  if (!replies) throw new Error("The transaction was discarded.");
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
