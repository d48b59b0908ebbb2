/*
 * A deterministic scheduler between stores and their client: the commands of several actors wait
 * until it lets one of them through, and only when its reply is there and everybody has come to a
 * standstill, the next. Which one is a choice, so that all orders can be tried, or random ones.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import type { RedisClient } from "session-sets/redis";
import { type InterceptedClient, intercepted, type Sent } from "../../support/intercept.ts";

/** The choices of one schedule: see `Choices` and `recorded`. */
export interface Chooser {
  /** One of the numbers from 0 below `options`. */
  pick(options: number): number;
}

export const FAULTS = ["dies", "resends", "late", "late again"] as const;

/** A fault that happens once, at a chosen moment, to a command of one actor. */
export interface Fault {
  readonly actor: number;
  /**
   * - `dies`: the command is carried out, its reply never comes, and nothing more is sent. Other
   *   commands that are under way arrive, or do not.
   * - `resends`: the command is carried out, its reply is lost, and it is sent once more.
   * - `late`: the command arrives some time after its not-after moment, and nothing more is sent.
   * - `late again`: it is carried out in time, and arrives once more after its not-after moment.
   */
  readonly kind: (typeof FAULTS)[number];
}

/** Commands that wait for nothing: they go along with another one, or nothing depends on when they come. */
const AT_ONCE = ["INFO", "TIME", "PEXPIRETIME"];

interface Command {
  readonly actor: number;
  /** How the command is carried out, late or not. */
  send(options: { readonly late: boolean }): Promise<unknown>;
  settle(reply: Promise<unknown>): void;
}

/** A command of a client that is dead by now. */
interface Orphan extends Command {
  readonly late: boolean;
}

/** Where the not-after moment of a script's command stands. */
const NOT_AFTER = 3;

export class Scheduler {
  readonly #actors = new AsyncLocalStorage<number>();
  /** Commands that wait for nobody. */
  readonly #passing = new Set<Promise<unknown>>();
  #waiting: (Command | Orphan)[] = [];
  #lost: Command[] = [];
  #dead: number | null = null;
  #log: { actor: number; what: string }[] = [];

  /** A client whose commands wait for the scheduler, where they are an actor's. */
  client(client: InterceptedClient): RedisClient & InterceptedClient {
    return intercepted(client, (sent, pass) => {
      const actor = this.#actors.getStore();
      if (actor === undefined) return pass();
      if (AT_ONCE.includes(sent.name)) return this.#atOnce(pass());
      if (actor === this.#dead) return Promise.reject(createDeadError());
      return new Promise((resolve) => {
        const send = ({ late }: { readonly late: boolean }) => {
          this.#log.push({ actor, what: `${sent.script ?? sent.name}${late ? " (late)" : ""}` });
          return pass(late ? makeLate(sent) : sent.args);
        };
        this.#waiting.push({ actor, send, settle: resolve });
      });
    });
  }

  /** The commands of the last schedule, in their order. */
  get log(): string {
    return this.#log.map(({ actor, what }) => `${actor}: ${what}`).join(", ");
  }

  /** Where an actor's commands stand among all that were carried out. */
  placesOf(actor: number): number[] {
    return this.#log.flatMap((entry, at) => (entry.actor === actor ? [at] : []));
  }

  /** Runs the actors side by side. Resolves to the actor that died, or null. */
  async drive(
    actors: readonly (() => Promise<void>)[],
    chooser: Chooser,
    fault: Fault | null = null,
  ): Promise<number | null> {
    this.#waiting = [];
    this.#lost = [];
    this.#dead = null;
    this.#log = [];
    let left = fault;
    let running = actors.length;
    const work = actors.map((actor, i) =>
      this.#actors.run(i, actor).finally(() => {
        running--;
      }),
    );
    for (;;) {
      await this.#standstill();
      if (this.#waiting.length === 0) break;
      const command = this.#choose(chooser);
      if (left?.actor === command.actor && chooser.pick(2) === 1) {
        await this.#fail(command, left.kind, chooser);
        left = null;
      } else await this.#carryOut(command);
    }
    const hanging = running - (this.#dead === null ? 0 : 1);
    if (hanging > 0) throw new Error(`${hanging} actors wait for something else than a command`);
    for (const { settle } of this.#lost) settle(Promise.reject(createDeadError()));
    await Promise.all(work);
    return this.#dead;
  }

  /** The server's time is asked for once by each store: it belongs to no schedule. */
  #atOnce(reply: Promise<unknown>): Promise<unknown> {
    this.#passing.add(reply);
    return reply.finally(() => this.#passing.delete(reply));
  }

  async #standstill(): Promise<void> {
    await turn(); // all consequences of a reply are microtasks, and are done by now
    while (this.#passing.size > 0) {
      await Promise.allSettled(this.#passing);
      await turn();
    }
  }

  #choose(chooser: Chooser): Command | Orphan {
    const command = this.#waiting.sort((a, b) => a.actor - b.actor)[
      this.#waiting.length === 1 ? 0 : chooser.pick(this.#waiting.length)
    ];
    if (!command) throw new Error("the scenario did something else than the last time");
    return command;
  }

  async #carryOut(command: Command | Orphan): Promise<void> {
    this.#waiting.splice(this.#waiting.indexOf(command), 1);
    const orphaned = "late" in command;
    const reply = command.send({ late: orphaned && command.late });
    await reply.catch(() => {}); // the sender gets the error
    if (!orphaned) command.settle(reply);
  }

  async #fail(command: Command, kind: Fault["kind"], chooser: Chooser): Promise<void> {
    if (kind !== "late") await command.send({ late: false }).catch(() => {});
    this.#log.push({ actor: -1, what: `${command.actor} ${kind}` });
    if (kind === "resends") return;
    const { actor } = command;
    this.#dead = actor;
    const own = this.#waiting.filter((one) => one.actor === actor);
    this.#lost.push(...own);
    const arriving = own.filter((one) =>
      one === command ? kind !== "dies" : chooser.pick(2) === 1,
    );
    this.#waiting = [
      ...this.#waiting.filter((one) => one.actor !== actor),
      ...arriving.map((one) => ({ ...one, late: kind !== "dies" })),
    ];
  }
}

function createDeadError(): Error {
  return new Error("the client is dead");
}

/** The command's arguments with a not-after moment that has passed. A read has no such moment. */
function makeLate({ script, args }: Sent): readonly string[] {
  return script === undefined || args[NOT_AFTER] === "" ? args : args.with(NOT_AFTER, "1");
}
