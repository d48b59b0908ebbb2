import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { startRedis } from "../../support/redis/server.ts";
import { redisUrl } from "../../support/redis/shared.ts";

/** One command on a connection of its own. */
async function send(url: string, command: string, ...args: string[]): Promise<unknown> {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => {}); // the command's own rejection says the same
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

test("the shared server answers", async () => {
  expect(await send(redisUrl(), "PING")).toBe("PONG");
});

test("several servers start at once, each with its own port and arguments", async () => {
  const servers = await Promise.all(
    ["one", "two", "three"].map((name) => startRedis({ args: ["--dbfilename", name] })),
  );
  try {
    expect(new Set(servers.map((server) => server.port)).size).toBe(3);
    const names = servers.map(({ url }) => send(url, "CONFIG", "GET", "dbfilename"));
    expect(JSON.stringify(await Promise.all(names))).toMatch(/one.*two.*three/);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});

test("a stopped server is gone, with its folder, and stopping again is no error", async () => {
  const server = await startRedis();
  const folder = readFolder(await send(server.url, "CONFIG", "GET", "dir"));
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  await server.stop();
  expect(existsSync(folder)).toBe(false);
  await expect(send(server.url, "PING")).rejects.toThrow();
});

test("a killed server starts again on its port, empty", async () => {
  const server = await startRedis();
  try {
    const first = server.pid;
    await send(server.url, "SET", "key", "value");
    await server.kill();
    await expect(send(server.url, "PING")).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(first);
    expect(await send(server.url, "GET", "key")).toBeNull();
  } finally {
    await server.stop();
  }
});

test("a wrong argument is reported with the server's own words", async () => {
  await expect(startRedis({ args: ["--no-such-option", "1"] })).rejects.toThrow(/no-such-option/);
});

test("a server ends with the process that started it, even when that is killed", async () => {
  const module = fileURLToPath(new URL("../../support/redis/server.ts", import.meta.url));
  // Node 20 does not run TypeScript: vite's loader does.
  const script = `
    import { runnerImport } from "vite";
    const { module } = await runnerImport(${JSON.stringify(module)});
    const { pid, url } = await module.startRedis();
    console.log("started", pid, url);
    setInterval(() => {}, 1000);
  `;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  owner.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const started = await vi.waitUntil(() => /started (\d+) (\S+)/.exec(output), 60_000);
  const [, pid = "", url = ""] = started;
  expect(await send(url, "PING")).toBe("PONG");
  owner.kill("SIGKILL");
  await once(owner, "exit");
  await vi.waitUntil(() => !isRunning(Number(pid)), 60_000);
});

function readFolder(reply: unknown): string {
  const folder = /\/[^"]*session-sets-redis-[^"]*/.exec(JSON.stringify(reply))?.[0];
  if (!folder) throw new Error(`No folder in ${JSON.stringify(reply)}`);
  return folder;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // In a container whose first process reaps nobody, an ended process stays as a zombie.
  return process.platform !== "linux" || !/^State:\s+Z/m.test(status(pid));
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "State: Z";
  }
}
