/*
 * A load of sessions for tests that make a server fail under it: it makes, changes, rotates, lists
 * and ends sessions, and keeps a book of what the store has acknowledged.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createSessions, SessionError, type SessionStore, type Sessions } from "session-sets";
import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import { loopTime } from "../loop-time.ts";

export interface LoadData {
  user_id?: number;
  team_ids?: number[];
  n?: number;
  seen?: number;
}

export const LOAD_REFERENCES = { user_id: {}, team_ids: {} };
export const TEAMS = [0, 1, 2];
/** How much later than its time a call may end, in time of the event loop (ms). */
export const SLACK_MS = 1500;

const WORKERS = 6;
/** How long a worker rests after each round (ms): a load, and not a siege. */
const REST_MS = 10;
/** Each worker's users are its own, so it knows who is signed in as them. */
const USERS_EACH = 2;
const users = Array.from({ length: WORKERS * USERS_EACH }, (_, user) => user);

export function loadedSessions(store: SessionStore): Sessions<LoadData> {
  return createSessions<LoadData>({
    store,
    references: { user_id: {}, team_ids: { identity: false } },
    idleTimeout: "1 hour",
  });
}

/** A session whose `create` was acknowledged, as far as the load knows it. */
interface Entry {
  token: string;
  readonly user: number;
  /** What `n` may be. */
  readonly ns: Set<number>;
  /** "maybe": an end of it, or a sign-in, was refused, and may have been made. */
  ended: "no" | "maybe" | "yes";
}

export interface Counts {
  done: number;
  refused: number;
  /** Of these, endings that too few replicas have acknowledged. */
  underReplicated: number;
  /** How long the longest call took, in time of the event loop (ms). */
  longest: number;
  /** Why calls were refused, in the words of their errors, and how often. */
  readonly reasons: Map<string, number>;
  /** Which operations were refused, in the words of their errors. */
  readonly operations: Set<string>;
  /** Sessions that a read did not find though they were acknowledged and not ended. */
  missing: number;
}

export interface Losses {
  /** Acknowledged sessions that are not there. */
  readonly sessions: number;
  /** Sessions that are there though their end was acknowledged. */
  readonly ends: number;
  /** Acknowledged writes that are not there. */
  readonly writes: number;
}

export interface LoadOptions {
  /**
   * Those through which it is compared what was acknowledged: they wait longer.
   * @default those of the load
   */
  readonly patient?: Sessions<LoadData>;
  /** How many replicas endings wait for: then none that was acknowledged may be lost. */
  readonly replicas?: number | undefined;
}

/** About how many calls come within the time of one wait. */
const PART = 20;

/** Every error of a call begins with its operation. */
const FAILED =
  /^The session store could not (sign in|(?:create|change|read|end|count|list) a session(?: set)?): (.+)$/;

/** The load on one store, until `stop`. */
export class Load {
  readonly counts: Counts = {
    done: 0,
    refused: 0,
    underReplicated: 0,
    longest: 0,
    reasons: new Map(),
    operations: new Set(),
    missing: 0,
  };
  readonly #sessions: Sessions<LoadData>;
  readonly #patient: Sessions<LoadData>;
  readonly #ending: { replicas?: number };
  readonly #book: Entry[] = [];
  /** When callers waited for a session of a user, in vain (ms). */
  readonly #refused: { readonly user: number; readonly start: number; readonly end: number }[] = [];
  readonly #work: Promise<unknown>;
  #goesOn = true;
  #n = 0;

  constructor(sessions: Sessions<LoadData>, { patient = sessions, replicas }: LoadOptions = {}) {
    this.#sessions = sessions;
    this.#patient = patient;
    this.#ending = replicas === undefined ? {} : { replicas };
    this.#work = Promise.all(Array.from({ length: WORKERS }, (_, worker) => this.#use(worker)));
    this.#work.catch(() => {}); // `stop` throws it
  }

  async stop(): Promise<void> {
    this.#goesOn = false;
    await this.#work;
  }

  /** How many sessions were acknowledged. */
  get made(): number {
    return this.#book.length;
  }

  /**
   * Waits until this many more calls have succeeded, or were refused. How fast they do is nothing to
   * assert; that they go on is, so it is each next part of them that is waited for.
   */
  async until(what: "done" | "refused", more: number): Promise<void> {
    const goal = this.counts[what] + more;
    const failed = this.#work.then(() => {
      throw new Error("The load has ended.");
    });
    while (this.counts[what] < goal) {
      const next = Math.min(goal, this.counts[what] + PART);
      const reached = eventually(
        `${next} calls ${what}`,
        true,
        async () => this.counts[what] >= next,
      );
      await Promise.race([reached, failed]);
    }
  }

  /** Compares what is there with what was acknowledged. */
  async losses(): Promise<Losses> {
    const losses = { sessions: 0, ends: 0, writes: 0 };
    await Promise.all(
      this.#book.map(async ({ token, ns, ended }) => {
        const found = await this.#patient.get(token);
        if (ended === "no" && !found) losses.sessions++;
        if (ended === "yes" && found) losses.ends++;
        if (ended === "no" && found && !ns.has(found.data.n ?? -1)) losses.writes++;
      }),
    );
    return losses;
  }

  /**
   * How many sessions were made when their caller had stopped waiting. One whose answer was lost, or came
   * too late, was made before that: the clock of the server is this machine's.
   */
  async unheard(): Promise<number> {
    const found = await Promise.all(this.#book.map(({ token }) => this.#patient.get(token)));
    const known = new Set(found.map((session) => session?.id));
    let unheard = 0;
    for (const user of users) {
      for await (const { id, createdAt } of this.#patient.by("user_id", user)) {
        if (known.has(id)) continue;
        const made = createdAt.getTime();
        const inTime = this.#refused.some(
          (one) => one.user === user && one.start - 1 <= made && made <= one.end + 1,
        );
        if (!inTime) unheard++;
      }
    }
    return unheard;
  }

  /** Ends everybody's sessions, and asserts that none can be read after it. */
  async clearAll(): Promise<number> {
    let cleared = 0;
    for (const user of users) cleared += await this.#patient.by("user_id", user).clear();
    const left = await Promise.all(this.#book.map(({ token }) => this.#patient.get(token)));
    expect(left.filter(Boolean)).toEqual([]);
    for (const user of users) expect(await this.#patient.by("user_id", user).size()).toBe(0);
    return cleared;
  }

  /** Does a call, which may make a session of a user; what it gave, undefined where it was refused. */
  async #call<T>(work: () => Promise<T>, user: number | null = null): Promise<T | undefined> {
    const start = loopTime();
    const from = Date.now();
    try {
      const result = await work();
      this.counts.done++;
      return result;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      this.#note(error);
      if (user !== null) this.#refused.push({ user, start: from, end: Date.now() });
      return undefined;
    } finally {
      this.counts.longest = Math.max(this.counts.longest, loopTime() - start);
    }
  }

  /** Throws an error that is of another kind, or does not say what failed. */
  #note(error: SessionError): void {
    const [, what = "", why] = FAILED.exec(error.message) ?? [];
    let reason = why;
    if (error.code === "ERR_REPLICAS" && this.#ending.replicas !== undefined) {
      this.counts.underReplicated++;
      reason = error.message;
    } else if (error.code !== "ERR_STORE_UNAVAILABLE") throw error;
    else this.counts.operations.add(what);
    if (reason === undefined) throw error;
    this.counts.refused++;
    this.counts.reasons.set(reason, (this.counts.reasons.get(reason) ?? 0) + 1);
  }

  async #use(worker: number): Promise<void> {
    for (let round = 0; this.#goesOn; round++) {
      await sleep(REST_MS);
      const user = worker * USERS_EACH + (round % USERS_EACH);
      const n = this.#n++;
      const team_ids = [n % TEAMS.length];
      const create = () => this.#sessions.create({ user_id: user, team_ids, n });
      const made = await this.#call(create, user);
      if (!made) {
        await this.#goOn(worker, round);
        continue;
      }
      let entry = this.#enter(made.token, user, n);
      await this.#write(entry);
      if (round % 2 === 0) await this.#rotate(entry);
      if (round % 3 === 0) entry = await this.#signIn(entry, worker * USERS_EACH);
      await this.#read(entry);
      if (round % 5 === 0) await this.#end(this.#findOldest(user) ?? entry);
      if (round % 7 === 0) await this.#useSets(user, n);
      if (round % 23 === 0) await this.#clear(user);
    }
  }

  /** The calls that make no session, on those that there are. */
  async #goOn(worker: number, round: number): Promise<void> {
    const user = worker * USERS_EACH + (round % USERS_EACH);
    const entry = this.#findOldest(user);
    if (entry) {
      await this.#call(() => this.#sessions.touch(entry.token));
      await this.#write(entry);
      await this.#read(entry);
      if (round % 3 === 0) await this.#end(entry);
    }
    if (round % 7 === 0) await this.#useSets(user, round);
    if (round % 23 === 0) await this.#clear(user);
  }

  /** It was made long ago: where its end is lost, it is there again. */
  #findOldest(user: number): Entry | undefined {
    return this.#book.find((entry) => entry.user === user && entry.ended === "no");
  }

  async #write(entry: Entry): Promise<void> {
    const n = this.#n++;
    const team_ids = [n % TEAMS.length, (n + 1) % TEAMS.length];
    const there = await this.#call(() => this.#sessions.set(entry.token, { n, team_ids }));
    if (there === false) this.counts.missing++;
    if (there) entry.ns.clear();
    entry.ns.add(n);
  }

  /** The old token stays good: where the rotation was refused, it is the only one there is. */
  async #rotate(entry: Entry): Promise<void> {
    const rotated = await this.#call(() =>
      this.#sessions.rotate(entry.token, {}, { grace: "1 hour" }),
    );
    if (rotated?.token) entry.token = rotated.token;
  }

  /** Another session takes the place of this one; where that was refused, it may have. */
  async #signIn(entry: Entry, user_id: number): Promise<Entry> {
    const n = this.#n++;
    const values = { user_id, team_ids: [n % TEAMS.length], n };
    const signedIn = await this.#call(() => this.#sessions.signIn(entry.token, values), user_id);
    // Where a master may fail, a sign-in that was acknowledged may be lost, too.
    entry.ended = signedIn && this.#ending.replicas === undefined ? "yes" : "maybe";
    return signedIn ? this.#enter(signedIn.token, user_id, n) : entry;
  }

  #enter(token: string, user: number, n: number): Entry {
    const entry: Entry = { token, user, ns: new Set([n]), ended: "no" };
    this.#book.push(entry);
    return entry;
  }

  async #read(entry: Entry): Promise<void> {
    const found = await this.#call(() => this.#sessions.get(entry.token));
    if (found === null && entry.ended === "no") this.counts.missing++;
  }

  async #end(entry: Entry): Promise<void> {
    const ended = await this.#call(() => this.#sessions.delete(entry.token, this.#ending));
    entry.ended = ended === undefined ? "maybe" : "yes";
  }

  async #useSets(user: number, n: number): Promise<void> {
    const set = this.#sessions.by("user_id", user);
    await this.#call(() => set.size());
    await this.#call(() => set.list({ limit: 5 }));
    const team = this.#sessions.by("team_ids", n % TEAMS.length);
    await this.#call(() => team.size());
    await this.#call(() => team.set({ seen: n }));
  }

  async #clear(user: number): Promise<void> {
    const theirs = this.#book.filter((entry) => entry.user === user && entry.ended !== "yes");
    const cleared = await this.#call(() => this.#sessions.by("user_id", user).clear(this.#ending));
    for (const entry of theirs) {
      entry.ended = cleared === undefined ? "maybe" : "yes";
    }
  }
}

/** One line to print: what was done, what was refused and why, and what was lost. */
export function summary(what: string, load: Load, losses: Losses): string {
  const { done, refused, underReplicated, longest, reasons, missing } = load.counts;
  const why = [...reasons].map(([reason, count]) => `  ${count} × ${reason.slice(0, 60)}`);
  return [
    `${what}: ${done} calls done, ${refused} refused (${underReplicated} for want of replicas), ` +
      `the longest ${Math.round(longest)} ms; ` +
      `${load.made} sessions made, ${missing} missed meanwhile; lost: ${losses.sessions} sessions, ` +
      `${losses.ends} ends, ${losses.writes} writes`,
    ...why,
  ].join("\n");
}
