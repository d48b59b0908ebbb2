import assert from "node:assert/strict";
import type { Sessions } from "session-sets";
import { type Data, type ModelSession, type Of, type Span, valuesOf } from "./model.ts";
import type { Run } from "./model-run.ts";
import { REFERENCES, type Step, VALUES, type Values, type Which } from "./model-steps.ts";

type Perform = { [Do in Step["do"]]: (run: Run, step: Extract<Step, { do: Do }>) => Promise<void> };

/** Does one step on the world, asserts its answer and does the same to the model. */
export async function perform(run: Run, step: Step): Promise<void> {
  // Each function takes the steps of its own name.
  await (performs[step.do] as (run: Run, step: Step) => Promise<void>)(run, step);
}

const performs: Perform = {
  async create(run, { by, values, idle, absolute }) {
    await create(run, by, values, run.length(idle), run.length(absolute));
  },

  async "create many"(run, { by, values }) {
    await Promise.all([0, 1, 2, 3].map((i) => create(run, by + i, values, undefined, undefined)));
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
    const from = await run.world.now();
    const [rotated, when] = await run.timed(
      run.program(by).rotate(chosen.token, values, { grace: length }),
      from,
    );
    assert.equal(rotated !== null, run.model.rotates(chosen.id, values), "whether it rotates");
    if (!rotated) return;
    const { token: fresh, session } = rotated;
    run.model.rotate(chosen.id, session.id, values, length, when);
    run.tokens.push({ token: fresh, id: session.id });
    run.fits(session, run.model.live(session.id) as ModelSession);
  },

  async delete(run, { by, token, how }) {
    const chosen = run.token(token);
    const program = run.program(by);
    const ended = await (how === "token"
      ? program.delete(chosen.token)
      : program.byId(chosen.id).delete());
    assert.equal(ended, run.model.end(chosen.id));
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
    assert.equal(rotated !== null, rotate && run.model.rotates(chosen.id, {}));
    if (!session) return;
    run.model.set(session, Object.fromEntries(PARALLEL.map((name) => [name, from])));
    run.model.see(session, when);
    if (!rotated) return;
    run.model.rotate(chosen.id, rotated.session.id, {}, grace, when);
    run.tokens.push({ token: rotated.token, id: rotated.session.id });
  },

  async "read set"(run, { by, of, token }) {
    const { id } = run.token(token);
    await run.checkSet(run.program(by), setOf(run, of, id), id);
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

  async "delete of set"(run, { by, of, token }) {
    const { id } = run.token(token);
    const { field, value } = setOf(run, of, id);
    const session = run.model.live(id);
    const member = session !== undefined && run.model.members({ field, value }).includes(session);
    assert.equal(await run.program(by).by(field, value).delete(id), member);
    if (member) run.model.end(id);
  },

  async clear(run, { by, of, except }) {
    const id = except === null ? null : run.token(except).id;
    const { field, value } = setOf(run, of, id);
    const spared = id === null ? undefined : run.model.live(id);
    const doomed = run.model.members({ field, value }).filter((session) => session !== spared);
    const set = run.program(by).by(field, value);
    assert.equal(await set.clear({ except: id }), doomed.length);
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
      if (!rotated) continue;
      run.model.rotate(id, rotated.session.id, {}, grace, when);
      run.tokens.push({ token: rotated.token, id: rotated.session.id });
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
function setOf(run: Run, of: Which, id: string | null): Of {
  if (of !== "its own") return of;
  const data = (id === null ? undefined : run.model.live(id)?.data) ?? {};
  for (const field of REFERENCES) {
    const [value] = valuesOf(data[field]);
    if (value !== undefined) return { field, value: value as Of["value"] };
  }
  return { field: REFERENCES[0], value: VALUES[0] ?? 1 };
}

async function create(
  run: Run,
  by: number,
  values: Values,
  idle: number | undefined,
  absolute: number | undefined,
): Promise<void> {
  const { timeouts } = run.world;
  const from = await run.world.now();
  const [{ token, session }, when] = await run.timed(
    run.program(by).create(values, {
      ...(idle === undefined ? {} : { idleTimeout: idle }),
      ...(absolute === undefined ? {} : { absoluteTimeout: absolute }),
    }),
    from,
  );
  const createdAt = session.createdAt.getTime();
  assert.ok(when.from <= createdAt && createdAt <= when.to, "created just now");
  const absoluteTimeout = absolute ?? timeouts.absolute;
  run.model.create({
    id: session.id,
    data: values,
    createdAt,
    absoluteDeadline: absoluteTimeout === null ? null : createdAt + absoluteTimeout,
    idleTimeout: idle ?? timeouts.idle,
    seen: [{ from: createdAt, to: createdAt }],
  });
  run.tokens.push({ token, id: session.id });
  run.fits(session, run.model.live(session.id) as ModelSession);
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

/** DESIGN.md section 6: a read counts as use after a twentieth of the idle timeout or a minute. */
function seenAfterRead({ seen, idleTimeout }: ModelSession, when: Span, slack: number): Span[] {
  const after = Math.min((idleTimeout ?? Number.POSITIVE_INFINITY) / 20, 60_000);
  const [before] = seen;
  assert.ok(before && before.from === before.to, "the model knows when it was last seen");
  const must = when.from - before.from - slack >= after;
  const may = when.to - before.from + slack >= after;
  if (must) return [when];
  return may ? [before, when] : [before];
}
