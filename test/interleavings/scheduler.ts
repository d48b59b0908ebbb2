/*
 * A deterministic scheduler between stores and their client: the commands of several actors wait
 * until it lets one of them through, and only when its reply is there and everybody has come to a
 * standstill, the next. Which one is a choice, so that all orders can be tried, or random ones.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import type { RedisClient } from "session-sets/redis";
import { intercepted, type Sent } from "../support/intercept.ts";
import type { Client } from "../support/stores.ts";

/** What is chosen in one schedule: see `Choices` and `randomChoices`. */
export interface Chooser {
  /** One of the numbers from 0 below `options`. */
  pick(options: number): number;
}

/** What goes wrong, once, at a moment that is chosen, with a command of one actor. */
export interface Fault {
  readonly actor: number;
  /**
   * `dies`: the command is carried out, its reply never comes, and nothing more is sent.
   * `resends`: the command is carried out, its reply is lost, and it is sent once more.
   */
  readonly kind: "dies" | "resends";
}

/** Commands that wait for nothing: they go along with another one, or nothing depends on when they come. */
const AT_ONCE = ["TIME", "PEXPIRETIME"];

interface Command {
  readonly actor: number;
  send(): Promise<unknown>;
  settle(reply: Promise<unknown>): void;
}

export class Scheduler {
  readonly #actors = new AsyncLocalStorage<number>();
  #waiting: Command[] = [];
  #dead: number | null = null;
  #log: string[] = [];

  /** A client whose commands wait for the scheduler, where they are an actor's. */
  client(
    client: Client,
    rewrite: (sent: Sent) => readonly string[] = ({ args }) => args,
  ): RedisClient {
    return intercepted(client, (sent, pass) => {
      const actor = this.#actors.getStore();
      const send = () => pass(rewrite(sent));
      if (actor === undefined || AT_ONCE.includes(sent.name)) return send();
      if (actor === this.#dead) return Promise.reject(new Error("the client is dead"));
      return new Promise((resolve) => {
        const logged = () => {
          this.#log.push(`${actor}: ${sent.script ?? sent.name}`);
          return send();
        };
        this.#waiting.push({ actor, send: logged, settle: resolve });
      });
    });
  }

  /** The commands of the last schedule, in their order. */
  get log(): string {
    return this.#log.join(", ");
  }

  /** Carries out what the actors do, side by side. Resolves to the actor that died, or null. */
  async drive(
    actors: readonly (() => Promise<void>)[],
    chooser: Chooser,
    fault: Fault | null = null,
  ): Promise<number | null> {
    this.#waiting = [];
    this.#dead = null;
    this.#log = [];
    let left = fault;
    let running = actors.length;
    const lost: Command[] = [];
    const work = actors.map((actor, i) =>
      this.#actors.run(i, actor).finally(() => {
        running--;
      }),
    );
    for (;;) {
      await turn(); // what a reply leads to is done by now: it is all microtasks
      if (this.#waiting.length === 0) break;
      const command = this.#choose(chooser);
      const kind = left?.actor === command.actor && chooser.pick(2) === 1 ? left.kind : null;
      if (kind === null) {
        await this.#carryOut(command);
        continue;
      }
      left = null;
      await command.send();
      this.#log.push(`${command.actor} ${kind}`);
      if (kind === "dies") {
        this.#dead = command.actor;
        lost.push(...this.#waiting.filter(({ actor }) => actor === command.actor));
        this.#waiting = this.#waiting.filter(({ actor }) => actor !== command.actor);
      }
    }
    const hanging = running - (this.#dead === null ? 0 : 1);
    if (hanging > 0) throw new Error(`${hanging} actors wait for something else than a command`);
    for (const { settle } of lost) settle(Promise.reject(new Error("the client is dead")));
    await Promise.all(work);
    return this.#dead;
  }

  #choose(chooser: Chooser): Command {
    const command = this.#waiting.sort((a, b) => a.actor - b.actor)[
      this.#waiting.length === 1 ? 0 : chooser.pick(this.#waiting.length)
    ];
    if (!command) throw new Error("the scenario did something else than the last time");
    return command;
  }

  async #carryOut(command: Command): Promise<void> {
    this.#waiting.splice(this.#waiting.indexOf(command), 1);
    const reply = command.send();
    await reply.catch(() => {}); // its sender is told
    command.settle(reply);
  }
}

/** Choices from a list of numbers; the first ones where it ends. */
export function listedChoices(numbers: readonly number[]): Chooser {
  let at = 0;
  return { pick: (options) => (numbers[at++] ?? 0) % options };
}
