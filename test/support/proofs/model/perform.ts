import assert from "node:assert/strict";
import type { Rotated, Sessions, SessionWithToken } from "session-sets";
import {
  type Data,
  listValues,
  type ModelSession,
  type Of,
  type RotationOutcome,
  type Span,
} from "./model.ts";
import type { Known, Run } from "./run.ts";
import { type Length, REFERENCES, type Step, VALUES, type Values, type Which } from "./steps.ts";

type Perform = { [Do in Step["do"]]: (run: Run, step: Extract<Step, { do: Do }>) => Promise<void> };

/** Does one step on the world, asserts its answer and does the same to the model. */
export async function perform(run: Run, step: Step): Promise<void> {
  // Each function takes the steps of its own name.
  await (performs[step.do] as (run: Run, step: Step) => Promise<void>)(run, step);
}

const performs: Perform = {
  async create(run, { by, values, idle, absolute }) {
    await create(run, by, values, toTimeouts(run, idle, absolute));
  },

  async "create many"(run, { by, values }) {
    await Promise.all([0, 1, 2, 3].map((i) => create(run, by + i, values, {})));
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
    );
  },

  async unset(run, { by, token, fields }) {
    await change(
      run,
      token,
      (program, chosen) => program(by).unset(chosen, fields),
      (session) => run.model.unset(session, fields),
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

  async rotate(run, { by, token, values, grace }) {
    const chosen = run.token(token);
    const length = grace === "none" ? 0 : (run.length(grace) ?? run.world.lengths.default);
    await rotate(run, by, chosen, values, length);
  },

  async "renew often"(run, { by, token, times }) {
    for (let left = times, chosen = run.token(token); left > 0; left--) {
      await rotate(run, by, chosen, {}, run.world.lengths.default);
      chosen = run.tokens.at(-1) ?? chosen;
    }
  },

  async "sign in"(run, { by, token, values, keep, idle, absolute }) {
    const chosen = token === null ? null : run.token(token);
    const timeouts = toTimeouts(run, idle, absolute);
    const from = await run.world.now();
    const [signedIn, when] = await run.timed(
      run.program(by).signIn(chosen?.token, values, { keep, ...timeouts }),
      from,
    );
    const kept = chosen ? run.model.kept(chosen.id, values, keep) : {};
    if (chosen) run.model.supersede(chosen.id, when);
    made(run, signedIn, { ...values, ...kept }, when, timeouts);
  },

  async delete(run, { by, token, how }) {
    const chosen = run.token(token);
    const program = run.program(by);
    if (how === "token") {
      assert.equal(await program.delete(chosen.token), run.model.end(chosen.id));
    } else {
      assert.equal(await program.byId(chosen[how]).delete(), run.model.endNamed(chosen[how]));
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
    run.model.see(session, when);
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
    assert.equal(await run.program(by).by(of.field, of.value).set(values), members.length);
    for (const session of members) run.model.set(session, values);
  },

  async "unset all"(run, { by, of, fields }) {
    const members = run.model.members(of);
    assert.equal(await run.program(by).by(of.field, of.value).unset(fields), members.length);
    for (const session of members) run.model.unset(session, fields);
  },

  async "delete of set"(run, { by, of, token, name }) {
    const chosen = run.token(token)[name];
    const { field, value } = chooseSet(run, of, chosen);
    const session = run.model.named(chosen);
    const member = session !== undefined && run.model.members({ field, value }).includes(session);
    assert.equal(await run.program(by).by(field, value).delete(chosen), member);
    if (member) run.model.endNamed(chosen);
  },

  async clear(run, { by, of, except, name }) {
    const chosen = except === null ? null : run.token(except)[name];
    const { field, value } = chooseSet(run, of, chosen);
    const spared = chosen === null ? undefined : run.model.named(chosen);
    const doomed = run.model.members({ field, value }).filter((session) => session !== spared);
    const set = run.program(by).by(field, value);
    assert.equal(await set.clear({ except: chosen }), doomed.length);
    for (const session of doomed) run.model.end(session.id);
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
    for (const [i, { id }] of current.entries()) {
      const rotated = rotations[i];
      if (!rotated?.token) continue;
      run.model.rotate(id, rotated.session.id, {}, grace, when);
      run.learn(rotated);
    }
    for (const session of doomed) run.model.end(session.id);
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

async function create(run: Run, by: number, values: Values, timeouts: Timeouts): Promise<void> {
  const from = await run.world.now();
  const [created, when] = await run.timed(run.program(by).create(values, timeouts), from);
  made(run, created, values, when, timeouts);
}

/** A session was made: the model has it, too, and it is the same. */
function made(
  run: Run,
  given: SessionWithToken<Data>,
  data: Data,
  when: Span,
  timeouts: Timeouts = {},
): void {
  const { timeouts: defaults } = run.world;
  const { id, createdAt } = given.session;
  const at = createdAt.getTime();
  assert.ok(when.from <= at && at <= when.to, "created just now");
  const absoluteTimeout = timeouts.absoluteTimeout ?? defaults.absolute;
  run.model.create({
    id,
    data,
    createdAt: at,
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
  grace: number,
): Promise<void> {
  const from = await run.world.now();
  const [rotated, when] = await run.timed(run.program(by).rotate(token, values, { grace }), from);
  const turn = run.model.decideRotation(id, values, grace);
  assert.equal(happened(rotated), happened(turn), `it is ${turn}`);
  if (turn === "ended") run.model.supersede(id, when);
  if (!rotated?.token) return;
  if (turn === "replaced") {
    run.model.supersede(id, when);
    made(run, rotated, run.model.replacing(values), when);
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

/** A change of one session through a token: it is there or not, and is used by that. */
async function change(
  run: Run,
  ago: number,
  operation: (program: (by: number) => Sessions<Data>, token: string) => Promise<boolean>,
  apply: (session: ModelSession) => void,
): Promise<void> {
  const chosen = run.token(ago);
  const from = await run.world.now();
  const [changed, when] = await run.timed(
    operation((by) => run.program(by), chosen.token),
    from,
  );
  const session = run.model.live(chosen.id);
  assert.equal(changed, session !== undefined, "whether there is a session");
  if (!session) return;
  apply(session);
  run.model.see(session, when);
}

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
