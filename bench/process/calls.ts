/* Calls from the main process to the functions of another one, and their answers. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

// biome-ignore lint/suspicious/noExplicitAny: any function takes part
type Functions = Record<string, (...args: any[]) => unknown>;

interface Call {
  readonly name: string;
  readonly args: unknown[];
}
type Answer = { readonly result: unknown } | { readonly error: string };

/** Answers the calls of the parent process, one after the other, until it is gone. */
export function serve(functions: Functions): void {
  process.on("disconnect", () => process.exit());
  process.on("message", async ({ name, args }: Call) => {
    process.send?.(await answer(functions, name, args));
  });
}

async function answer(functions: Functions, name: string, args: unknown[]): Promise<Answer> {
  try {
    return { result: await functions[name]?.(...args) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** A process that answers calls. */
export class RemoteProcess<Remote extends Functions> {
  readonly #child: ChildProcess;
  readonly #what: string;

  /** Starts a module that calls `serve`. `what` names the process in errors. */
  constructor(module: URL, what: string) {
    this.#what = what;
    this.#child = fork(module, { serialization: "advanced" });
  }

  async call<Name extends keyof Remote & string>(
    name: Name,
    ...args: Parameters<Remote[Name]>
  ): Promise<Awaited<ReturnType<Remote[Name]>>> {
    const ended = new AbortController();
    const answer = once(this.#child, "message", { signal: ended.signal });
    const exit = () => ended.abort();
    this.#child.once("exit", exit);
    try {
      this.#child.send({ name, args });
      const [reply] = (await answer) as [Answer];
      if ("error" in reply) throw new Error(`${this.#what} failed to ${name}: ${reply.error}`);
      return reply.result as Awaited<ReturnType<Remote[Name]>>;
    } catch (error) {
      if (ended.signal.aborted) throw new Error(`${this.#what} ended before it answered.`);
      throw error;
    } finally {
      this.#child.off("exit", exit);
    }
  }

  stop(): void {
    this.#child.kill();
  }
}
