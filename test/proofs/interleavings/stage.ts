/*
 * The sessions of scenes on a Redis server. They are made once, kept in a database of their own, and copied back for
 * each schedule: to make them anew would be most of its work. All keys are read at once as well.
 */
import type { SessionStore, StoredSession } from "../../../src/store/contract.ts";
import { SessionHash } from "../../../src/store/redis/layout/session-hash.ts";
import { checkKeys, type KeyDump, type Layout, readKeys } from "../../support/stores/invariants.ts";
import type { Client } from "../../support/stores/stores.ts";
import { type Cast, makeProps, openScene, type Props, readState, type Scene } from "./scene.ts";

/** Makes one database the same as another. */
const COPY = `
local from, to = ARGV[1], ARGV[2]
redis.call('SELECT', to)
local old = redis.call('KEYS', '*')
if #old > 0 then redis.call('DEL', unpack(old)) end
redis.call('SELECT', from)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', to) end`;

/** The database that all work is done in. */
const PRESENT = 0;
/** Sessions are made anew after so long (ms): after a minute, a write would move their deadlines. */
const FRESH = 10_000;

interface Kept {
  readonly database: number;
  readonly props: Props;
  readonly made: number;
}

export class Stage {
  readonly #client: Client;
  /** By what was made. */
  readonly #kept = new Map<string, Kept>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Sets the scene, alone on the server; the operations go by `used`. */
  async set(direct: SessionStore, used: SessionStore, cast: Cast): Promise<Scene> {
    const { crowded = false, visitor = false } = cast;
    const name = JSON.stringify([direct.shards, crowded, visitor]);
    const kept = this.#kept.get(name);
    if (kept && performance.now() - kept.made < FRESH) {
      await this.#copy(kept.database, PRESENT);
      return openScene(direct, used, kept.props);
    }
    const database = kept?.database ?? this.#kept.size + 1;
    const made = performance.now();
    await this.#client.flushdb();
    const props = await makeProps(direct, cast);
    await this.#copy(PRESENT, database);
    this.#kept.set(name, { database, props, made });
    return openScene(direct, used, props);
  }

  /** Reads the state at the end, and asserts the invariants. */
  async read(scene: Scene, layout: Layout): ReturnType<typeof readState> {
    return readState(scene, async () => {
      const dump = await readKeys(this.#client, layout);
      checkKeys(dump, layout);
      return listSessions(dump);
    });
  }

  async #copy(from: number, to: number): Promise<void> {
    await this.#client.call("EVAL", [COPY, "0", String(from), String(to)]);
  }
}

/** The sessions that are in sets: by the invariants, those that name one. */
function listSessions({ hashes, now }: KeyDump): StoredSession[] {
  return [...hashes]
    .filter(([, { hash, expires }]) => hash.has("@r") && expires >= now)
    .map(([at, { hash }]) => {
      const session = new SessionHash(at.slice(at.indexOf(":") + 1));
      for (const [name, text] of hash) session.take(name, text);
      return session.toSession();
    });
}
