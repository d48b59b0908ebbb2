/*
 * The sessions that the operations are tried on, the same on every store: session T of user 1, which was rotated
 * three times and has its old tokens still, two more of that user, P beside it and Q in another
 * shard where there is one, and O, which is of user 2. They are of team 1, and O is of team 2. A
 * crowded one has R and S of user 1, too; one with a visitor has V, which is nobody's.
 */
import { createSessions, type Sessions } from "session-sets";
import { createTokenBeside, toId } from "../../../src/sessions/token.ts";
import type { Fields, SessionStore, StoredSession } from "../../../src/store/contract.ts";
import { encodeShard } from "../../../src/store/shards.ts";
import {
  change,
  createRotation,
  DAY_MS,
  findLive,
  HOUR_MS,
  of,
  toFields,
  toReferences,
} from "../../../src/testing/steps.ts";

export interface Data {
  n?: string;
  user_id?: number | null;
  team?: number;
  theme?: string;
  cart?: string;
}

export interface Scene {
  readonly sessions: Sessions<Data>;
  /** Straight to the client, for setting up and looking. */
  readonly store: SessionStore;
  /** The one that the operations go by. */
  readonly used: SessionStore;
  /**
   * By name: `t0`, `t1` and `t2` are T's old ones, `t3` is its present one, `none` leads nowhere and
   * `v` is V's.
   */
  readonly tokens: Map<string, string>;
  /** The sessions' names by the ids they were made with; any other id is T's. */
  readonly names: Map<string, string>;
  /** The sessions when the scene was set, by name. */
  readonly first: Map<string, StoredSession>;
}

export const REFERENCES = { user_id: {}, team: { identity: false } } as const;

/** A session's user, and its own fields. */
interface Draft {
  readonly n: string;
  readonly user: number | null;
  readonly team: number | null;
  readonly shard: number;
  readonly idleTimeout: number;
  readonly cart?: string;
}

const ONE = { user: 1, team: 1, cart: "tea", idleTimeout: HOUR_MS };
const T: Draft = { ...ONE, n: "T", shard: 0 };
const OTHERS: readonly Draft[] = [
  { ...ONE, n: "P", shard: 0, idleTimeout: HOUR_MS + 60_000 },
  { ...ONE, n: "Q", shard: 1 },
  { ...ONE, n: "O", shard: 0, user: 2, team: 2 },
];
const CROWD: readonly Draft[] = [
  { ...ONE, n: "R", shard: 0, idleTimeout: HOUR_MS + 120_000 },
  { ...ONE, n: "S", shard: 1, idleTimeout: HOUR_MS + 60_000 },
];
const V: Draft = { ...ONE, n: "V", shard: 0, user: null, team: null, cart: "leaf" };

const TEAMS = [of("team", "1"), of("team", "2")];
const USERS = [of("user_id", "1"), of("user_id", "2"), of("user_id", "3")];

/** The sessions beside the usual ones. */
export interface Cast {
  /** Whether user 1 has two more sessions. */
  readonly crowded?: boolean;
  /** Whether there is a session of nobody. */
  readonly visitor?: boolean;
}

/** Sets the scene by `direct`; the operations go by `used`. */
export async function setScene(
  direct: SessionStore,
  used: SessionStore,
  cast: Cast = {},
): Promise<Scene> {
  return openScene(direct, used, await makeProps(direct, cast));
}

/** What is known of the sessions of a scene. */
export type Props = Pick<Scene, "tokens" | "names" | "first">;

/** A scene whose sessions are there. */
export function openScene(direct: SessionStore, used: SessionStore, props: Props): Scene {
  const names = new Map(props.names);
  return {
    sessions: createSessions<Data>({
      store: makeRestless(used, names),
      references: REFERENCES,
      idleTimeout: HOUR_MS,
      absoluteTimeout: DAY_MS,
      rotationGrace: HOUR_MS,
    }),
    store: direct,
    used,
    tokens: new Map(props.tokens),
    names,
    first: new Map(props.first),
  };
}

/** Makes the sessions of a scene. */
export async function makeProps(
  direct: SessionStore,
  { crowded = false, visitor = false }: Cast = {},
): Promise<Props> {
  const scene = { store: direct, tokens: new Map(), names: new Map(), first: new Map() };
  const others = [...OTHERS, ...(crowded ? CROWD : [])];
  const [token, v, ...beside] = await Promise.all([
    make(scene, T),
    visitor ? make(scene, V) : null,
    ...others.map((one) => make(scene, one)),
  ]);
  const fresh = [1, 2, 3].map(() => createTokenBeside(token));
  for (const [i, one] of [token, ...fresh.map((made) => made.token)].entries()) {
    scene.tokens.set(`t${i}`, one);
  }
  scene.tokens.set("none", createTokenBeside(token).token);
  if (v !== null) scene.tokens.set("v", v);
  const ids = [findLineage(scene), ...fresh.map(({ id }) => id)];
  const rotate = (id: string, to: string) => change(direct, id, { rotation: createRotation(to) });
  // One after the other, but sent at once.
  const rotated = ids.slice(1).map((to, i) => rotate(ids[i] ?? "", to));
  const find = (id: string | null | undefined) => findLive(direct, id ?? "");
  const [, ...found] = await Promise.all([
    Promise.all(rotated),
    rotated.at(-1)?.then(() => find(ids.at(-1))),
    ...beside.map((one) => find(toId(one, direct.shards))),
  ]);
  for (const session of found) if (session) scene.first.set(findName(session), session);
  return scene;
}

/** The id that T was made with. */
export function findLineage({ tokens, store }: Pick<Scene, "tokens" | "store">): string {
  return toId(tokens.get("t0"), store.shards) ?? "";
}

/** Makes one more session; gives its token. */
export async function make(
  scene: Pick<Scene, "names" | "store">,
  { n, user, team, cart, shard, idleTimeout }: Draft,
  by = scene.store,
): Promise<string> {
  const { token, id } = createTokenBeside(encodeShard(shard % by.shards));
  scene.names.set(id, n);
  const references: [string, string][] = Object.entries({ user_id: user, team })
    .filter(([, value]) => value !== null)
    .map(([field, value]) => [field, String(value)]);
  await by.create({
    id,
    fields: toFields({ n, ...(cart ? { cart } : {}), ...Object.fromEntries(references) }),
    references: toReferences(Object.fromEntries(references.map(([name, one]) => [name, [one]]))),
    idleTimeout,
    absoluteTimeout: DAY_MS,
  });
  return token;
}

/**
 * A store whose sessions were always last used an hour ago: reading one touches it. New sessions are
 * made in the first shard, so that a schedule can be repeated, and their names are known before they
 * are there.
 */
function makeRestless(store: SessionStore, names: Map<string, string>): SessionStore {
  const name = (id: string, fields: Fields) => {
    const n = fields.get("n");
    if (n !== undefined) names.set(id, n);
  };
  const members: Partial<SessionStore> = {
    shards: 1,
    async find(...args) {
      const found = await store.find(...args);
      return found.state === "live" ? { ...found, now: found.now + HOUR_MS } : found;
    },
    create(session) {
      name(session.id, session.fields);
      return store.create(session);
    },
    signIn(id, session) {
      name(session.id, session.fields);
      return store.signIn(id, session);
    },
    change(id, asked) {
      if (asked.rotation) name(asked.rotation.to, asked.set);
      return store.change(id, asked);
    },
  };
  return new Proxy(store, {
    get(target, property) {
      if (property in members) return Reflect.get(members, property);
      const member: unknown = Reflect.get(target, property, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** The state at the end, in words that are the same on every store. */
export interface State {
  /** Each session with its fields, by its name. */
  readonly sessions: readonly (readonly [name: string, fields: unknown])[];
  /** The session that each token leads to. */
  readonly tokens: readonly (readonly [name: string, what: string])[];
}

/** `readFound` gives all sessions of the sets, each once. */
export async function readState(
  scene: Scene,
  readFound: (store: SessionStore) => Promise<StoredSession[]> = listFound,
): Promise<{ state: State; kept: StoredSession[] }> {
  const { store } = scene;
  const [kept, tokens] = await Promise.all([
    readFound(store),
    Promise.all(
      [...scene.tokens].map(async ([name, token]) => {
        const lookup = await store.find(toId(token, store.shards) ?? "");
        return { name, lookup };
      }),
    ),
  ]);
  // One that a request has made is of no set that is looked at.
  const ids = new Set(kept.map(({ id }) => id));
  for (const { lookup } of tokens) {
    if (lookup.state !== "live" || ids.has(lookup.session.id)) continue;
    ids.add(lookup.session.id);
    kept.push(lookup.session);
  }
  const state: State = {
    sessions: kept
      .map((session) => [findName(session), Object.fromEntries(session.fields)] as const)
      .sort((a, b) => compare(a, b)),
    tokens: tokens
      .map(({ name, lookup }) => {
        if (lookup.state === "live") return [name, findName(lookup.session)] as const;
        const { state } = lookup;
        const by = state === "superseded" ? ` ${lookup.by} ${lookup.hadIdentity}` : "";
        return [name, state + by] as const;
      })
      .sort((a, b) => compare(a, b)),
  };
  return { state, kept };
}

async function listFound(store: SessionStore): Promise<StoredSession[]> {
  const lists = await Promise.all(
    [...TEAMS, ...USERS].map((set) => store.list(set, { limit: 500, order: "last-seen" })),
  );
  const byId = new Map<string, StoredSession>();
  for (const session of lists.flat()) byId.set(session.id, session);
  return [...byId.values()];
}

export function findName({ fields }: StoredSession): string {
  return fields.get("n") ?? "new";
}

function compare(a: unknown, b: unknown): number {
  return toCanonical(a) < toCanonical(b) ? -1 : 1;
}

/** A value as JSON, the fields of objects in the order of their names. */
export function toCanonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
