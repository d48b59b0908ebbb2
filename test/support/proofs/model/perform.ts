import assert from "node:assert/strict";
import { type Rotated, SessionError, type Sessions, type SessionWithToken } from "session-sets";
import type { Entering } from "./entering.ts";
import {
  type Data,
  type EndingKind,
  listValues,
  MAX_ALIASES,
  type ModelSession,
  type Of,
  type RotationOutcome,
  type Span,
} from "./model.ts";
import type { Known, Run } from "./run.ts";
import {
  type AsOf,
  type Cause,
  type Length,
  REFERENCES,
  type Step,
  VALUES,
  type Values,
  type Which,
} from "./steps.ts";

type Perform = { [Do in Step["do"]]: (run: Run, step: Extract<Step, { do: Do }>) => Promise<void> };

/** Does one step on the world, asserts its answer and does the same to the model. */
export async function perform(run: Run, step: Step): Promise<void> {
  // Each function takes the steps of its own name.
  await (performs[step.do] as (run: Run, step: Step) => Promise<void>)(run, step);
}

const performs: Perform = {
  async create(run, { by, values, idle, absolute, asOf }) {
    const timeouts = toTimeouts(run, idle, absolute);
    const from = await run.world.now();
    const moment = toMoment(asOf, from);
    const [created, when] = await run.timed(
      attempt(run.program(by).create(values, { ...timeouts, ...moment })),
      from,
    );
    const given = enter(run, created, values, { when, ...moment }, {});
    if (given) await made(run, given, values, when, timeouts);
  },

  /** In no set that has a limit: nobody knows which of them comes first. */
  async "create many"(run, { by, values }) {
    const unlimited = Object.fromEntries(
      Object.entries(values).filter(([field]) => !(field in run.doors.limits)),
    );
    const from = await run.world.now();
    await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        const [created, when] = await run.timed(run.program(by + i).create(unlimited), from);
        await made(run, created, unlimited, when);
      }),
    );
  },

  async get(run, { by, token, fields, touch }) {
    const chosen = run.token(token);
    const from = await run.world.now();
    const program = run.program(by);
    const [found, when] = await run.timed(
      fields ? program.get(chosen.token, fields, { touch }) : program.get(chosen.token, { touch }),
      from,
    );
    const session = run.model.live(chosen.id);
    if (!session) return assert.equal(found, null);
    if (touch) session.seen = seenAfterRead(session, when, run.world.slack);
    run.fits(found, session, fields ?? undefined);
  },

  async set(run, { by, token, values }) {
    await change(
      run,
      token,
      (program, chosen) => program(by).set(chosen, values),
      (session) => run.model.set(session, values),
      { values, writes: Object.keys(values).length > 0 },
    );
  },

  async unset(run, { by, token, fields }) {
    await change(
      run,
      token,
      (program, chosen) => program(by).unset(chosen, fields),
      (session) => run.model.unset(session, fields),
      { writes: fields.length > 0 },
    );
  },

  async touch(run, { by, token, idle }) {
    const idleTimeout = run.length(idle);
    const options = idleTimeout === undefined ? {} : { idleTimeout };
    await change(
      run,
      token,
      (program, chosen) => program(by).touch(chosen, options),
      (session) => {
        session.idleTimeout = idleTimeout ?? session.idleTimeout;
      },
    );
  },

  async rotate(run, { by, token, values, grace, asOf, cause }) {
    const chosen = run.token(token);
    const length = grace === "none" ? 0 : (run.length(grace) ?? run.world.lengths.default);
    await rotate(run, by, chosen, values, { grace: length, asOf, cause });
  },

  async "renew often"(run, { by, token, times }) {
    for (let left = times, chosen = run.token(token); left > 0; left--) {
      await rotate(run, by, chosen, {}, { grace: run.world.lengths.default });
      chosen = run.tokens.at(-1) ?? chosen;
    }
  },

  async "sign in"(run, { by, token, values, keep, idle, absolute, asOf, cause }) {
    const chosen = token === null ? null : run.token(token);
    const timeouts = toTimeouts(run, idle, absolute);
    const from = await run.world.now();
    const moment = toMoment(asOf, from);
    const [signedIn, when] = await run.timed(
      attempt(
        run.program(by).signIn(chosen?.token, values, { keep, ...timeouts, ...moment, ...cause }),
      ),
      from,
    );
    const all = { ...values, ...(chosen ? run.model.kept(chosen.id, values, keep) : {}) };
    const leaving = chosen ? run.model.resolve(chosen.id, MAX_ALIASES).session : undefined;
    const given = enter(run, signedIn, values, { when, ...moment, all }, { leaving });
    if (!given) return;
    if (chosen) run.model.supersede(chosen.id, when, toKind("sign-in", cause));
    await made(run, given, all, when, timeouts);
  },

  async delete(run, { by, token, how, cause }) {
    const chosen = run.token(token);
    const program = run.program(by);
    const kind = toKind("delete", cause);
    if (how === "token") {
      assert.equal(await program.delete(chosen.token, cause), run.model.end(chosen.id, kind));
    } else {
      const ended = await program.byId(chosen[how]).delete(cause);
      assert.equal(ended, run.model.endNamed(chosen[how], kind));
    }
  },

  async "set in parallel"(run, { token, rotate }) {
    const chosen = run.token(token);
    const session = run.model.live(chosen.id);
    const grace = run.world.lengths.default;
    const from = await run.world.now();
    const [[rotated, ...answers], when] = await run.timed(
      Promise.all([
        rotate ? run.program(0).rotate(chosen.token, {}, { grace }) : null,
        ...PARALLEL.map((name, i) => run.program(i).set(chosen.token, { [name]: from })),
      ] as const),
      from,
    );
    assert.deepEqual(answers, Array(PARALLEL.length).fill(session !== undefined));
    const turn = rotate ? run.model.decideRotation(chosen.id, {}, grace) : "nothing";
    assert.equal(rotated ? "renewed" : "nothing", turn);
    if (!session) return;
    run.model.set(session, Object.fromEntries(PARALLEL.map((name) => [name, from])));
    if (rotated) run.model.see(session, when);
    else run.model.write(session, when);
    if (!rotated?.token) return;
    const { id, lineage } = rotated.session;
    run.model.rotate(chosen.id, id, {}, grace, when);
    run.tokens.push({ token: rotated.token, id, lineage }); // given before all was written
  },

  async "read set"(run, { by, of, token, name }) {
    const chosen = run.token(token)[name];
    await run.checkSet(run.program(by), chooseSet(run, of, chosen), chosen);
  },

  async "set all"(run, { by, of, values }) {
    const members = run.model.members(of);
    const full = run.doors.findOverfull(members, values);
    const changed = await attempt(run.program(by).by(of.field, of.value).set(values));
    if (full !== null) return assertFull(run, changed, full);
    assert.equal(changed, members.length);
    for (const session of members) run.model.set(session, values);
  },

  async "unset all"(run, { by, of, fields }) {
    const members = run.model.members(of);
    assert.equal(await run.program(by).by(of.field, of.value).unset(fields), members.length);
    for (const session of members) run.model.unset(session, fields);
  },

  async "delete of set"(run, { by, of, token, name, cause }) {
    const chosen = run.token(token)[name];
    const { field, value } = chooseSet(run, of, chosen);
    const session = run.model.named(chosen);
    const member = session !== undefined && run.model.members({ field, value }).includes(session);
    assert.equal(await run.program(by).by(field, value).delete(chosen, cause), member);
    if (member) run.model.endNamed(chosen, toKind("delete", cause));
  },

  async clear(run, { by, of, except, name, cause }) {
    const chosen = except === null ? null : run.token(except)[name];
    const { field, value } = chooseSet(run, of, chosen);
    const spared = chosen === null ? undefined : run.model.named(chosen);
    const doomed = run.model.members({ field, value }).filter((session) => session !== spared);
    const set = run.program(by).by(field, value);
    const from = await run.world.now();
    const [ended, when] = await run.timed(set.clear({ except: chosen, ...cause }), from);
    assert.equal(ended, doomed.length);
    run.doors.clear({ field, value }, when);
    endEach(run, doomed, toKind("clear", cause));
  },

  async trim(run, { by, of, token, keep, cause }) {
    const { field, value } = chooseSet(run, of, run.token(token).id);
    const doomed = run.doors.listTrimmed({ field, value }, keep);
    const ended = await run
      .program(by)
      .by(field, value)
      .trim({ keep, ...cause });
    assert.equal(ended, doomed.length, "how many were ended");
    endEach(run, doomed, toKind("trim", cause));
  },

  async "clear while all rotate"(run, { by, of }) {
    const doomed = run.model.members(of);
    const current = run.tokens.filter(({ id }) => doomed.some((session) => session.id === id));
    const grace = run.world.lengths.default;
    const from = await run.world.now();
    const [[ended, ...rotations], when] = await run.timed(
      Promise.all([
        run.program(by).by(of.field, of.value).clear(),
        ...current.map(({ token }, i) => run.program(i).rotate(token, {}, { grace })),
      ] as const),
      from,
    );
    assert.equal(ended, doomed.length, "how many were ended");
    run.doors.clear(of, when);
    for (const [i, { id }] of current.entries()) {
      const rotated = rotations[i];
      if (!rotated?.token) continue;
      run.model.rotate(id, rotated.session.id, {}, grace, when);
      run.learn(rotated);
    }
    endEach(run, doomed, toKind("clear"));
  },

  async "let time pass"(run, { how }) {
    const next = run.model.nextDeadline();
    const moments = {
      "to the next deadline": next,
      "past it": next + 1,
      "a minute": (await run.world.now()) + 61_000,
    };
    if (moments[how] !== Number.POSITIVE_INFINITY) await run.world.passUntil(moments[how]);
    run.model.expire(await run.world.now());
  },
};

const PARALLEL = ["p0", "p1", "p2", "p3", "p4", "p5"];

/** The set that a step is about; where its session is in none, one like any other. */
function chooseSet(run: Run, of: Which, name: string | null): Of {
  if (of !== "its own") return of;
  const data = (name === null ? undefined : run.model.named(name)?.data) ?? {};
  for (const field of REFERENCES) {
    const [value] = listValues(data[field]);
    if (value !== undefined) return { field, value: value as Of["value"] };
  }
  return { field: REFERENCES[0], value: VALUES[0] ?? 1 };
}

interface Timeouts {
  readonly idleTimeout?: number;
  readonly absoluteTimeout?: number;
}

/** As they are given to a call: what is default is left out. */
function toTimeouts(run: Run, idle: Length, absolute: Length): Timeouts {
  const [idleTimeout, absoluteTimeout] = [run.length(idle), run.length(absolute)];
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(absoluteTimeout === undefined ? {} : { absoluteTimeout }),
  };
}

/** A session was made: the model has it, too, and it is the same. */
async function made(
  run: Run,
  given: SessionWithToken<Data>,
  data: Data,
  when: Span,
  timeouts: Timeouts = {},
): Promise<void> {
  const { timeouts: defaults } = run.world;
  const { id, createdAt } = given.session;
  const birth = await run.world.readBirth(id);
  const at = createdAt.getTime();
  assert.ok(when.from <= at && at <= when.to, "created just now");
  const absoluteTimeout = timeouts.absoluteTimeout ?? defaults.absolute;
  run.model.create({
    id,
    data,
    createdAt: at,
    birth,
    absoluteDeadline: absoluteTimeout === null ? null : at + absoluteTimeout,
    idleTimeout: timeouts.idleTimeout ?? defaults.idle,
    seen: [{ from: at, to: at }],
  });
  run.learn(given);
}

/** Rotates a session or what takes its place, as far as the model says. */
async function rotate(
  run: Run,
  by: number,
  { token, id }: Known,
  values: Values,
  { grace, asOf = null, cause = {} }: { grace: number; asOf?: AsOf | null; cause?: Cause },
): Promise<void> {
  const from = await run.world.now();
  const moment = toMoment(asOf, from);
  const [answer, when] = await run.timed(
    attempt(run.program(by).rotate(token, values, { grace, ...moment, ...cause })),
    from,
  );
  const session = run.model.live(id);
  if (!session) return assert.equal(answer, null, "there is no session");
  const turn = run.model.decideRotation(id, values, grace);
  const entering = turn === "replaced" ? { leaving: session } : { own: session };
  const enters = turn !== "nothing" && turn !== "ended";
  const rotated = enter(run, answer, values, { when, ...moment, enters }, entering);
  if (rotated === undefined) return;
  assert.equal(happened(rotated), happened(turn), `it is ${turn}`);
  if (turn === "ended") run.model.supersede(id, when, toKind("delete", cause));
  if (!rotated?.token) return;
  if (turn === "replaced") {
    const how = run.model.namesUser(values) ? "sign-in" : "delete";
    run.model.supersede(id, when, toKind(how, cause));
    await made(run, rotated, run.model.replacing(values), when);
  } else {
    run.model.rotate(id, rotated.session.id, values, grace, when);
    run.learn(rotated);
  }
}

/** The result of a rotation, in an answer or in the model. */
function happened(what: Rotated<Data> | null | RotationOutcome): "nothing" | "ended" | "rotated" {
  if (typeof what === "string") return what === "nothing" || what === "ended" ? what : "rotated";
  if (what === null) return "nothing";
  return what.token === null ? "ended" : "rotated";
}

/** A change of one session through a token: it is there or not, and is used by that, if it isn't of fields alone. */
async function change(
  run: Run,
  ago: number,
  operation: (program: (by: number) => Sessions<Data>, token: string) => Promise<boolean>,
  apply: (session: ModelSession) => void,
  { values = {}, writes = false }: { readonly values?: Values; readonly writes?: boolean } = {},
): Promise<void> {
  const chosen = run.token(ago);
  const from = await run.world.now();
  const [answer, when] = await run.timed(
    attempt(operation((by) => run.program(by), chosen.token)),
    from,
  );
  const session = run.model.live(chosen.id);
  if (!session) return assert.equal(answer, false, "there is no session");
  const changed = enter(run, answer, values, { when }, { own: session });
  if (changed === undefined) return;
  assert.equal(changed, true, "there is a session");
  apply(session);
  if (writes) run.model.write(session, when);
  else run.model.see(session, when);
}

/** The answer of a call, or that a session was not let into a set. */
async function attempt<T>(call: Promise<T>): Promise<T | SessionError> {
  try {
    return await call;
  } catch (error) {
    const isRefusal = error instanceof SessionError && REFUSALS.includes(error.code);
    if (!isRefusal) throw error;
    return error;
  }
}

const REFUSALS: readonly string[] = ["ERR_SESSION_GONE", "ERR_SESSION_LIMIT"];

interface Asked {
  readonly when: Span;
  readonly asOf?: number;
  /** All that the session will have, and not only what the call says. */
  readonly all?: Data;
  /** Whether a session does enter, if it is let in. */
  readonly enters?: boolean;
}

/**
 * Asserts that a session was let into the sets of the values, or refused, as the model says, and ends
 * those that a limit ends for it. Undefined if it was refused.
 */
function enter<T extends object | boolean | null>(
  run: Run,
  answer: T | SessionError,
  values: Values,
  { when, asOf, all = values, enters = true }: Asked,
  entering: Entering,
): T | undefined {
  const verdict = run.doors.judge(asOf, all, when);
  const room = run.doors.findRoom(values, entering);
  if (answer instanceof SessionError && answer.code === "ERR_SESSION_LIMIT") {
    assert.ok(enters && verdict !== "refused", "it is hindered by something else");
    assertFull(run, answer, room.full);
    return undefined;
  }
  if (answer instanceof SessionError) {
    assert.notEqual(verdict, "let in", "no set was cleared");
    return undefined;
  }
  assert.notEqual(verdict, "refused", "a set was cleared");
  if (!enters) return answer as T;
  assert.equal(room.full, null, "a set is full");
  if (room.full === null) endEach(run, room.doomed, toKind("limit"));
  return answer as T;
}

function assertFull(run: Run, answer: unknown, field: string | null): void {
  assert.ok(answer instanceof SessionError, `${field} is full`);
  assert.equal(answer.code, "ERR_SESSION_LIMIT");
  assert.equal(answer.field, field);
  assert.equal(answer.limit, run.doors.limits[field ?? ""]?.limit);
}

function endEach(run: Run, sessions: readonly ModelSession[], kind: EndingKind): void {
  const isByLineage = run.world.byLineage.includes(kind.how);
  for (const { id, lineage } of sessions) run.model.endNamed(isByLineage ? lineage : id, kind);
}

function toKind(how: EndingKind["how"], cause: Cause = {}): EndingKind {
  return { how, initiator: cause.initiator ?? null, reason: cause.reason ?? null };
}

/** The moment at which credentials were read, as it is given to a call at `now`. */
function toMoment(asOf: AsOf | null, now: number): { asOf?: number } {
  return asOf === null ? {} : { asOf: now + MOMENTS[asOf] };
}

const MOMENTS: Readonly<Record<AsOf, number>> = {
  now: 0,
  "a minute ago": -60_000,
  "two hours ago": -7_200_000,
  "in an hour": 3_600_000,
};

/**
 * A read counts as use after a twentieth of the idle timeout or a minute (docs/design.md, "Deadlines").
 */
function seenAfterRead({ seen, idleTimeout }: ModelSession, when: Span, slack: number): Span[] {
  const after = Math.min((idleTimeout ?? Number.POSITIVE_INFINITY) / 20, 60_000);
  const [before] = seen;
  assert.ok(before && before.from === before.to, "the model knows when it was last seen");
  const must = when.from - before.from - slack >= after;
  const may = when.to - before.from + slack >= after;
  if (must) return [when];
  return may ? [before, when] : [before];
}
