/*
 * The processes of histories. Several runs use them, one after the other: to start them, and to get them warm, is
 * most of the work of a short run.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { inject } from "vitest";
import type { Order, Result, Setting } from "./protocol.ts";

export const PROCESSES = 3;

export class Crew {
  readonly #children: ChildProcess[] = [];
  /** Whether one has ended, or failed to do what it was told: then another may still be at it. */
  #isBroken = false;

  /** Has processes, which were not told anything yet or are at leisure, work with a setting. */
  async prepare(setting: Setting): Promise<void> {
    if (this.#isBroken) await this.stop();
    if (this.#children.length === 0) this.#start();
    await this.askAll(setting);
  }

  /** Tells each process what to do, and waits until it is done; by the process' number. */
  askAll(
    message: Setting | ((by: number) => Order),
  ): Promise<Exclude<Result, { error: string }>[]> {
    const messages = this.#children.map((_, by) =>
      typeof message === "function" ? message(by) : message,
    );
    return Promise.all(messages.map((one, by) => this.ask(by, one)));
  }

  /** Tells a process what to do, and waits until it is done. */
  async ask(by: number, message: Setting | Order): Promise<Exclude<Result, { error: string }>> {
    try {
      return await ask(this.#children[by] as ChildProcess, message);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** Ends the processes. */
  async stop(): Promise<void> {
    const children = this.#children.splice(0);
    this.#isBroken = false;
    const running = children.filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    const exits = running.map((child) => once(child, "exit"));
    for (const child of running) if (child.connected) child.disconnect();
    await Promise.all(exits);
  }

  #start(): void {
    const path = inject("historyProgram");
    for (let i = 0; i < PROCESSES; i++) {
      this.#children.push(fork(path, [], { execArgv: [] }));
    }
  }
}

function ask(
  child: ChildProcess,
  message: Setting | Order,
): Promise<Exclude<Result, { error: string }>> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) =>
      reject(new Error(`A process of the histories ended (${code}).`));
    child.once("exit", ended);
    child.once("message", (result: Result) => {
      child.off("exit", ended);
      if ("error" in result) {
        reject(new Error(`A process of the histories failed: ${result.error}`));
      } else {
        resolve(result);
      }
    });
    child.send(message);
  });
}
