import assert from "node:assert/strict";
import type { Session, SessionSet, Sessions, SessionWithToken } from "session-sets";
import type { FeedEvent, FeedListener } from "session-sets/testing";
import { toId } from "../../../../src/sessions/token.ts";
import { Doors, type Limits } from "./entering.ts";
import {
  type Data,
  type EndingKind,
  Model,
  type ModelSession,
  type Of,
  type Span,
  type Told,
} from "./model.ts";
import { perform } from "./perform.ts";
import { type Length, REFERENCES, type Step, VALUES } from "./steps.ts";

/** A store, several programs that use it, and its clock. */
export interface World {
  readonly programs: readonly Sessions<Data>[];
  /** What `createSessions` was told. */
  readonly timeouts: {
    readonly idle: number | null;
    readonly absolute: number | null;
    readonly rotationGrace: number;
  };
  readonly limits: Limits;
  /** Whether a limit is kept by one step of the store; else by several. */
  readonly isOneShard: boolean;
  /** What ends each session by its lineage, and so ends what is left there, too. */
  readonly byLineage: readonly EndingKind["how"][];
  /** In ms. */
  readonly lengths: Readonly<Record<Length, number>>;
  /** How long a step may take: nearer deadlines than this are waited for before it begins. */
  readonly patience: number;
  /** How far a program's idea of the store's clock may be off. */
  readonly slack: number;
  /** The store's time. */
  now(): Promise<number>;
  /** Lets the time pass up to and with a moment; nothing where that takes too long. */
  passUntil(moment: number): Promise<void>;
  /** When a session was created, as exactly as the store compares it; Infinity where it is gone. */
  readBirth(id: string): Promise<number>;
  /** Has everything told that happens to sessions; resolves to what stops it. */
  listen(listener: FeedListener): Promise<() => Promise<void>>;
  /** Waits until everything was told that has happened. */
  settleFeed(): Promise<void>;
  /** Looks at what is kept behind the public API's back, where that can be seen. */
  checkKept?(model: Model): Promise<void>;
  /** Whether reading a set costs so little that all are compared after each step. */
  readonly readsAreCheap: boolean;
}

/** Well-formed, and of nobody. */
const UNKNOWN = knownBy(`AA${"u".repeat(32)}`);

/** A token, and the names that its session had when it was given. */
export interface Known {
  readonly token: string;
  readonly id: string;
  readonly lineage: string;
}

function knownBy(token: string): Known {
  const id = toId(token, 1) ?? "";
  return { token, id, lineage: id };
}

const ALL_SETS = REFERENCES.flatMap((field) => VALUES.map((value): Of => ({ field, value })));

/** One sequence of steps, done on a world and on the model. */
export class Run {
  readonly world: World;
  readonly model: Model;
  readonly doors: Doors;
  /** What was told since it was last compared. */
  readonly #heard: FeedEvent[] = [];
  /** Every token there ever was, the dead ones too. */
  readonly tokens: Known[] = [];

  constructor(world: World) {
    this.world = world;
    this.model = new Model("user_id", world.timeouts.rotationGrace);
    this.doors = new Doors(this.model, world.limits, world.isOneShard);
  }

  /** Listens to the store from now on. Resolves to what stops it. */
  listen(): Promise<() => Promise<void>> {
    return this.world.listen({
      onEvent: (event) => void this.#heard.push(event),
      onGap: () => assert.fail("nothing is missed while the connection lasts"),
    });
  }

  /** Does a step and compares everything. */
  step(step: Step): Promise<boolean> {
    return this.#conclusively(async () => {
      const from = await this.world.now();
      await perform(this, step);
      await this.#checkTold(from);
      await this.check();
    });
  }

  /** Compares all sets, as they are after the last step. */
  async finish(): Promise<boolean> {
    for (const of of ALL_SETS) {
      const check = () => this.checkSet(this.program(0), of, this.token(0).lineage);
      if (!(await this.#conclusively(check))) return false;
    }
    return true;
  }

  /**
   * False where a deadline went by meanwhile and something did not fit: nobody can tell what would
   * have been right, nor how to go on.
   */
  async #conclusively(work: () => Promise<void>): Promise<boolean> {
    await this.#settle();
    const nearest = this.model.nextDeadline();
    const from = await this.world.now();
    try {
      await work();
    } catch (error) {
      const to = await this.world.now();
      if (nearest < to || this.model.mayExpire({ from, to })) return false;
      throw error;
    }
    return true;
  }

  /** Waits for the deadlines that are near, and forgets what has expired. */
  async #settle(): Promise<void> {
    for (;;) {
      const now = await this.world.now();
      this.model.expire(now);
      const next = this.model.nextDeadline();
      if (next >= now + this.world.patience) return;
      await this.world.passUntil(next + 1);
    }
  }

  /** Asserts that a listener was told what the model says, since `from`. */
  async #checkTold(from: number): Promise<void> {
    await this.world.settleFeed();
    const to = await this.world.now();
    const heard = this.#heard.splice(0);
    for (const { at } of heard) assert.ok(from <= at && at <= to, "it is told when it was");
    const told = this.model.told.splice(0);
    assert.deepEqual(sort(heard.flatMap(toTold)), sort(told), "what a listener is told");
  }

  async check(): Promise<void> {
    const program = this.program(0);
    await Promise.all(
      this.model.sessions.map(async (session) => {
        this.fits(await program.byId(session.id).get(), session);
        this.fits(await program.byId(session.lineage).get(), session);
      }),
    );
    await Promise.all(
      this.tokens.map(async ({ token, id }) => {
        const found = await program.get(token, { touch: false });
        assert.equal(found?.id, this.model.live(id)?.id, "what a token leads to");
      }),
    );
    await this.world.checkKept?.(this.model);
    if (!this.world.readsAreCheap) return;
    for (const name of this.tokens.flatMap(({ id, lineage }) => [id, lineage])) {
      const found = await program.byId(name).get();
      assert.equal(found?.id, this.model.named(name)?.id, "what a name leads to");
    }
    for (const of of ALL_SETS) await this.checkSet(program, of, this.token(0).id);
  }

  /** Asserts that a session is what the model says, and learns when it was last seen. */
  fits(actual: Session<Data> | null, session: ModelSession, fields?: readonly string[]): void {
    assert.ok(actual, "a live session is not found");
    assert.equal(actual.id, session.id);
    assert.equal(actual.lineage, session.lineage);
    const entries = Object.entries(session.data);
    const expected = entries.filter(([field]) => fields?.includes(field) ?? true);
    assert.deepEqual(actual.data, Object.fromEntries(expected));
    assert.equal(actual.createdAt.getTime(), session.createdAt);
    assert.equal(actual.absoluteDeadline?.getTime() ?? null, session.absoluteDeadline);
    const seen = actual.lastSeenAt.getTime();
    assert.ok(
      session.seen.some(({ from, to }) => from <= seen && seen <= to),
      `last seen ${seen} is not in ${JSON.stringify(session.seen)}`,
    );
    this.model.see(session, { from: seen, to: seen });
    const [deadline] = this.model.deadlines(session);
    assert.equal(actual.expiresAt.getTime(), deadline?.from);
  }

  program(index: number): Sessions<Data> {
    const { programs } = this.world;
    return programs[index % programs.length] as Sessions<Data>;
  }

  /** The token that was made this many before the latest one; one of nobody if there is none. */
  token(ago: number): Known {
    return this.tokens.at(-1 - ago) ?? UNKNOWN;
  }

  /** Learns a token that was just given, and that its session is as the model has it. */
  learn({ token, session }: SessionWithToken<Data>): void {
    this.tokens.push({ token, id: session.id, lineage: session.lineage });
    this.fits(session, this.model.live(session.id) as ModelSession);
  }

  /** The result of an operation, and when it was done. */
  async timed<T>(operation: Promise<T>, from: number): Promise<[result: T, when: Span]> {
    const result = await operation;
    return [result, { from, to: await this.world.now() }];
  }

  /** A length in ms, or undefined for the default. */
  length(length: Length): number | undefined {
    return length === "default" ? undefined : this.world.lengths[length];
  }

  /** All sessions of a set, page by page. */
  async pagesOf(set: SessionSet<Data>, limit: number): Promise<Session<Data>[]> {
    const all: Session<Data>[] = [];
    let page = await set.list({ limit });
    while (page.length > 0) {
      all.push(...page);
      page = await set.list({ limit, after: page.at(-1) });
    }
    return all;
  }

  /** Asserts that every way to read a set gives the sessions of the model. */
  async checkSet(program: Sessions<Data>, of: Of, name: string): Promise<void> {
    const set = program.by(of.field, of.value);
    const members = this.model.members(of);
    const expected = members.map((member) => member.id).sort();
    const live = this.model.named(name);
    assert.equal(await set.size(), members.length, "size");
    assert.deepEqual((await set.ids()).sort(), expected, "ids");
    assert.equal(await set.has(name), live !== undefined && members.includes(live), "has");
    const listed = await set.list();
    const times = listed.map(({ lastSeenAt }) => lastSeenAt.getTime());
    assert.deepEqual(
      times,
      [...times].sort((a, b) => b - a),
      "most recently seen first",
    );
    const all = members.length <= listed.length ? expected : listed.map(({ id }) => id).sort();
    assert.deepEqual(listed.map(({ id }) => id).sort(), all, "list");
    const pages = await this.pagesOf(set, members.length > 20 ? 500 : 3);
    assert.deepEqual(pages.map(({ id }) => id).sort(), expected, "pages of list");
    assert.deepEqual(
      pages,
      pages.toSorted((a, b) => Number(b.expiresAt) - Number(a.expiresAt) || (a.id < b.id ? -1 : 1)),
      "the latest deadline first",
    );
    const iterated: string[] = [];
    for await (const session of set) {
      iterated.push(session.id);
      this.fits(session, this.model.live(session.id) as ModelSession);
    }
    assert.deepEqual(iterated.sort(), expected, "iteration");
  }
}

/** An event as the model has it, one for each session. */
function toTold(event: FeedEvent): Told[] {
  if (event.type === "rotated") {
    const { at: _, ...rest } = event;
    return [rest];
  }
  if (event.type !== "ended") return []; // what the model says nothing about
  const { type, how, cause, sessions } = event;
  return sessions.map((session) => ({ type, how, ...session, ...cause }));
}

/** In an order of its own: what several calls do at once has none. */
function sort(all: readonly Told[]): string[] {
  return all.map((one) => JSON.stringify(Object.entries(one).sort())).sort();
}
