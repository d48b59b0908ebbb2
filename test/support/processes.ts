/*
 * Programs in processes of their own, written in TypeScript like the tests. They import the package
 * by its name and get the sources, compiled.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./compile.ts";
import { ROOT } from "./sources.ts";

export interface Program {
  /** Starts it in a process of its own, with an argument: see `argument`. */
  start(argument: unknown): RunningProgram;
  /** Ends its processes, and removes what was compiled. */
  close(): void;
}

export interface RunningProgram {
  /** What it sends. */
  readonly messages: readonly unknown[];
  /** Ends when the process has; rejects where it has failed, with what it said. */
  readonly ended: Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): void;
}

/** Compiles a program of the tests, such as `test/leak/filler.ts`, with all that it imports. */
export async function compileProgram(file: string): Promise<Program> {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/program-`);
  const manifest = {
    name: "session-sets",
    type: "module",
    exports: { ".": "./src/index.js", "./*": "./src/*.js" },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const tsconfig = join(folder, "tsconfig.json");
  const compilerOptions = { noEmit: false, noCheck: true, rootDir: ROOT, outDir: folder };
  writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: `${ROOT}tsconfig.json`,
      compilerOptions,
      files: [ROOT + file],
      include: [],
    }),
  );
  const faults = await compile(tsconfig);
  if (faults) throw new Error(`${file} does not compile:\n${faults}`);
  const running = new Set<ChildProcess>();
  return {
    start(argument) {
      const child = fork(join(folder, file.replace(/\.ts$/, ".js")), [JSON.stringify(argument)], {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      });
      running.add(child);
      child.once("exit", () => running.delete(child));
      return follow(child, file);
    },
    close() {
      for (const child of running) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
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
  ended.catch(() => {}); // whoever waits for it is told
  return { messages, ended, kill: () => void child.kill("SIGKILL") };
}

/** In a program: what it was started with. */
export function argument<T>(): T {
  return JSON.parse(process.argv[2] ?? "null") as T;
}
