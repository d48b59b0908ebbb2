/* What the figures depend on: the machine, and versions. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import type { Redis } from "ioredis";
import { readPeerVersion } from "../peers.ts";

const PEERS = [
  "connect-redis",
  "express-session",
  "redisess",
  "redis-sessions",
  "koa-session",
  "koa-redis",
  "@fastify/session",
  "better-auth",
];
const OWN = ["ioredis", "redis", "koa", "express", "fastify", "hono"];

/** A line for each. */
export async function describeMachine(server: Redis): Promise<string[]> {
  const info = await server.info("server");
  const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? [];
  const [, version] = /^redis_version:(\S+)/m.exec(info) ?? [];
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return [
    `machine: ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${gigabytes} GiB, ${process.platform} ${process.arch}`,
    `load before the run: ${load}`,
    `server: ${valkey ? `Valkey ${valkey}` : `Redis ${version}`}; Node ${process.versions.node}`,
    `clients and frameworks: ${OWN.map((name) => `${name} ${readOwnVersion(name)}`).join(", ")}`,
    `peers: ${PEERS.map((name) => `${name} ${readPeerVersion(name)}`).join(", ")}`,
    `on ${new Date().toISOString().slice(0, 10)}`,
  ];
}

/** The version of a package that this project depends on. Some don't export their manifest. */
function readOwnVersion(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).version;
    } catch {
      // not in this folder
    }
  }
  throw new Error(`${name} is not installed.`);
}
