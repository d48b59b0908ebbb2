/* Programs in processes of their own, written in TypeScript like the tests. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { buildProgram } from "./build-program.ts";

export interface Program {
  /** Starts it in a process of its own, with an argument: see `argument`. */
  start(argument: unknown): RunningProgram;
  /** Ends its processes, and removes what was compiled. */
  close(): Promise<void>;
}

export interface RunningProgram {
  /** Its messages. */
  readonly messages: readonly unknown[];
  /** Ends when the process has; rejects where it has failed, with what it said. */
  readonly ended: Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): void;
}

/** Compiles a program of the tests, such as `test/proofs/leak/filler.ts`. */
export async function compileProgram(file: string): Promise<Program> {
  const { path, remove } = await buildProgram(file);
  const running = new Set<ChildProcess>();
  return {
    start(argument) {
      const child = fork(path, [JSON.stringify(argument)], {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        execArgv: [],
      });
      running.add(child);
      child.once("exit", () => running.delete(child));
      return follow(child, file);
    },
    async close() {
      for (const child of running) child.kill("SIGKILL");
      await remove();
    },
  };
}

function follow(child: ChildProcess, file: string): RunningProgram {
  const messages: unknown[] = [];
  let said = "";
  child.on("message", (message) => messages.push(message));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000);
    });
  }
  const ended = once(child, "close").then(([code, signal]) => {
    if (code !== 0 && signal === null) throw new Error(`${file} ended with ${code}:\n${said}`);
  });
  ended.catch(() => {}); // its rejection is for those who wait for it
  return { messages, ended, kill: () => void child.kill("SIGKILL") };
}

/** In a program: what it was started with. */
export function argument<T>(): T {
  return JSON.parse(process.argv[2] ?? "null") as T;
}
