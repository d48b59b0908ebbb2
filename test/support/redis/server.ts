/*
 * Redis servers of the tests' own: each on a free port of this machine, in a folder of its own,
 * keeping nothing. A watchdog ends a server whose test process died before it could.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { provideProgram, REDIS_SERVER } from "../../../scripts/programs.mjs";

// Below 22,000, because the bus port of a cluster's node is its port + 10,000, and above that
// begin the ports that systems give to outgoing connections.
const PORTS = { from: 10_000, to: 22_000 };
const START_TIMEOUT = 60_000;

export interface RedisServer {
  /** Such as `redis://127.0.0.1:12345`. */
  readonly url: string;
  readonly port: number;
  /** A Unix socket: a command takes a third less of the processor there than over the port. A sentinel has none. */
  readonly socket: string;
  /** The process of the server; a new one after `restart`. */
  readonly pid: number;
  /** Freezes the server: connections stay open and nothing is answered. */
  pause(): void;
  /** Wakes it up again. */
  resume(): void;
  /** Ends the server at once, as a crash does. Its port and folder are kept for `restart`. */
  kill(): Promise<void>;
  /** Ends the server and starts an empty one (but for what `args` made it keep) on the same port. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. Does nothing when called again. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** More arguments of the server's command line, such as `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
  /** Starts a sentinel instead, which watches nothing yet. */
  readonly sentinel?: boolean;
  /** Another program than that of the other tests. */
  readonly program?: string | undefined;
}

/** The path of the program that servers are started from. */
export function serverProgram(): string {
  return provideProgram(REDIS_SERVER);
}

/** Starts a server and waits until it answers. */
export async function startRedis({
  args = [],
  sentinel = false,
  program = serverProgram(),
}: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "session-sets-redis-"));
  // A sentinel writes down what it watches, in a file that it must have been started with.
  const config = sentinel ? [join(folder, "sentinel.conf")] : [];
  for (const path of config) await writeFile(path, "");
  const socket = join(folder, "socket");
  const mode = sentinel
    ? ["--sentinel"]
    : ["--save", "", "--appendonly", "no", "--unixsocket", socket];
  const start = (port: number) => startProcess(program, port, folder, config, [...mode, ...args]);
  try {
    let { child, port } = await startOnFreePort(start);
    let ended = false;
    const kill = () => endProcess(child);
    return {
      url: `redis://127.0.0.1:${port}`,
      port,
      socket,
      get pid() {
        return readPid(child);
      },
      pause: () => void child.kill("SIGSTOP"),
      resume: () => void child.kill("SIGCONT"),
      kill,
      async restart() {
        if (ended) throw new Error("This Redis server was stopped.");
        await kill();
        child = await start(port);
      },
      async stop() {
        ended = true;
        await kill();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Thrown where the server did not get its port, so that another one is tried. */
class PortTaken extends Error {}

async function startOnFreePort(start: (port: number) => Promise<ChildProcess>) {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(PORTS.from, PORTS.to);
    try {
      return { child: await start(port), port };
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === 20) throw error;
    }
  }
}

async function startProcess(
  program: string,
  port: number,
  folder: string,
  config: readonly string[],
  args: readonly string[],
): Promise<ChildProcess> {
  const child = spawn(
    program,
    // biome-ignore format: an option and its value on one line
    [
      ...config,
      "--port", String(port),
      "--bind", "127.0.0.1",
      "--dir", folder,
      "--daemonize", "no",
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-10_000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  await once(child, "spawn");
  const closed = once(child, "close"); // when all output has come
  watch(child, folder);
  const deadline = Date.now() + START_TIMEOUT;
  const isListening = () => output.includes("Ready to accept connections");
  while (!(await answers(port, readPid(child), isListening))) {
    if (hasEnded(child)) {
      await closed;
      const text = `The Redis server ended at once. ${program}, port ${port}:\n${output}`;
      throw /address already in use/i.test(output) ? new PortTaken(text) : new Error(text);
    }
    if (Date.now() > deadline) {
      await endProcess(child);
      throw new Error(`The Redis server did not answer in ${START_TIMEOUT} ms:\n${output}`);
    }
    await sleep(10);
  }
  return child;
}

/** Whether this very process answers on the port, and not another server that was quicker. */
async function answers(port: number, pid: number, isListening: () => boolean): Promise<boolean> {
  const reply = await ask(port, "PING\r\nINFO server\r\n");
  if (/^-NOAUTH/.test(reply)) return isListening(); // asked for a password by `args`, so it tells no more
  return reply.startsWith("+PONG") && reply.includes(`process_id:${pid}\r\n`);
}

/** A server's answer to inline commands within a second; "" if there is none. */
function ask(port: number, commands: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`${commands}QUIT\r\n`));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("data", (chunk) => {
      reply += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(reply));
  });
}

/**
 * A shell that outlives this process, for as long as it takes to end the server and remove its
 * folder: its input ends when this process does, however that happens.
 */
function watch(server: ChildProcess, folder: string): void {
  const script = 'cat > /dev/null; kill -9 "$1" 2> /dev/null; rm -rf "$2"';
  const watchdog = spawn("sh", ["-c", script, "watchdog", String(readPid(server)), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // a Ctrl-C in the terminal does not reach it
  });
  watchdog.unref();
  // The pipe must not keep this process alive either.
  if (watchdog.stdin && "unref" in watchdog.stdin) (watchdog.stdin as { unref(): void }).unref();
  server.once("exit", () => watchdog.kill("SIGKILL"));
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL"); // nothing is kept, so there is nothing to end gently; wakes a paused one too
  await exit;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function readPid(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("The Redis server has no process.");
  return child.pid;
}
