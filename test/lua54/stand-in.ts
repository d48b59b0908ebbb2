/* The stand-in for Redis that runs scripts on Lua 5.4 (redis.lua), with a client of it. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { sources } from "../../generated/scripts.js";
import { type Program, provideProgram } from "../../scripts/programs.mjs";
import { messages } from "../support/redis/cutting-proxy.ts";

const LUA: Program = {
  what: "Lua 5.4",
  variable: "LUA54_BIN",
  candidates: ["lua5.4"],
  packages: { apt: ["lua5.4"], brew: null },
};

/** The path of Lua 5.4, which is installed first where it is missing. */
export function provideLua(): string {
  return provideProgram(LUA);
}

export interface StandIn {
  readonly client: Redis;
  /** The names of the scripts that ran. */
  readonly ran: ReadonlySet<string>;
  close(): Promise<void>;
}

/** The present in µs, as the stand-in is told it before each command. */
function encodeClock(): string {
  const micros = String(Math.floor((performance.timeOrigin + performance.now()) * 1000));
  return `*2\r\n$5\r\nCLOCK\r\n$${micros.length}\r\n${micros}\r\n`;
}

const NAMES = new Map(
  Object.entries(sources).map(([name, source]) => [
    createHash("sha1").update(source).digest("hex"),
    name,
  ]),
);

export async function openStandIn(): Promise<StandIn> {
  const script = fileURLToPath(new URL("redis.lua", import.meta.url));
  const lua = spawn(provideLua(), [script], { stdio: ["pipe", "pipe", "inherit"] });
  await once(lua, "spawn");
  const ran = new Set<string>();
  const server = createServer((socket) => {
    const take = messages((message) => {
      const digest = /^\*\d+\r\n\$7\r\nevalsha\r\n\$40\r\n(\w+)/i.exec(
        message.toString("latin1", 0, 80),
      );
      const name = NAMES.get(digest?.[1] ?? "");
      if (name !== undefined) ran.add(name);
      lua.stdin.write(Buffer.concat([Buffer.from(encodeClock()), message]));
    });
    socket.on("data", take);
    socket.on("error", () => {});
    lua.stdout.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // One connection, and none after it.
  const client = new Redis({
    port,
    protocol: 2,
    disableClientInfo: true,
    retryStrategy: () => null,
  });
  for (const [digest, name] of NAMES) {
    await client.call("LEARN", digest, sources[name as keyof typeof sources]);
  }
  return {
    client,
    ran,
    async close() {
      client.disconnect();
      server.close();
      lua.kill();
      await once(lua, "exit");
    },
  };
}
