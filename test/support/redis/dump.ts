import { Redis } from "ioredis-5";

/** Everything that is kept on a server: each key, and all it holds, as one text. */
export async function dumpServer(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    const keys = await client.keys("*");
    const contents = await Promise.all(keys.map((key) => readContent(client, key)));
    return JSON.stringify(keys.map((key, i) => [key, contents[i]]));
  } finally {
    client.disconnect();
  }
}

async function readContent(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case "hash":
      return client.hgetall(key);
    case "zset":
      return client.zrange(key, "0", "-1", "WITHSCORES");
    case "set":
      return client.smembers(key);
    case "string":
      return client.get(key);
    case "none":
      return null; // it expired since
    default:
      throw new Error(`${key} is a ${type}, which nobody here writes`);
  }
}

/** Writes down every command that a server is sent from now on. */
export async function watchCommands(
  url: string,
): Promise<{ readonly text: () => Promise<string>; readonly stop: () => void }> {
  const client = new Redis(url);
  const asker = new Redis(url);
  // ioredis stumbles over what others do while its MONITOR begins.
  await Promise.all([client.ping(), asker.ping()]);
  const monitor = await client.monitor();
  let seen = "";
  monitor.on("monitor", (_time: string, args: string[]) => {
    seen += `${args.join(" ")}\n`;
  });
  return {
    /** All that was sent up to now: a last command tells that those before it were seen. */
    async text() {
      const end = `end of what is watched ${Math.random()}`;
      await asker.echo(end);
      while (!seen.includes(end)) await new Promise((resolve) => setImmediate(resolve));
      return seen;
    },
    stop() {
      for (const one of [client, asker, monitor]) one.disconnect();
    },
  };
}
