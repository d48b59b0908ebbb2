import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { Migrator, type MoveProgress } from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import { readCallOptions } from "../../shared/call-options.ts";
import { decodeValue } from "../../shared/codec.ts";
import { createConfigError, listOptionNames, SessionError } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import type { CommandStore } from "../../store/commanding.ts";
import { openStore } from "../../store/redis/options.ts";
import { createChange } from "../shared/change.ts";
import {
  decodeRecord,
  encodeFieldName,
  encodeRecord,
  toJSONRecord,
} from "../shared/json-record.ts";
import { FOREIGN_LAYOUT } from "./foreign-layout.ts";
import {
  type IfMissing,
  type OnMissing,
  parseSettings,
  type SpotsSessionsOptions,
  type TokenEncoding,
} from "./options.ts";
import { createOwnerReference, DATA_PREFIX, deriveId, encodeSession } from "./stored.ts";

/** Any record. Its values are stored as JSON writes them. */
export interface SpotsData {
  // biome-ignore lint/suspicious/noExplicitAny: what it documents, so that programs compile as before
  [name: string]: any;
}

/** An app. Its name never finds the sessions of another app. */
export interface OfApp {
  app: string;
}

/** One session, by the token that `create` gave. */
export interface OfToken extends OfApp {
  token: string;
}

/** All sessions that an owner has in an app. */
export interface OfOwner extends OfApp {
  ownerId: string;
}

/** How long a session lasts from now on. */
export interface WithDuration {
  /** In seconds. */
  duration: number;
}

/** The answer of `get`. */
export interface SpotsSession {
  ownerId: string;
  data: SpotsData;
}

const MAX_DURATION_SECONDS = 100 * 365 * 86_400;
/** The client is of one server. */
const IN_ONE_SHARD = { prefix: "spots-sessions", shards: 1 } as const;

/** Nothing here signs in with asOf, which a mark would be for. */
const UNMARKED = { leavesMark: false } as const;
const TOKEN = { app: true, token: true } as const;
const OWNER = { app: true, ownerId: true } as const;

/** The options of each method. */
const OPTIONS = {
  create: listOptionNames<OfOwner & WithDuration & { data: unknown }>({
    ...OWNER,
    data: true,
    duration: true,
  }),
  get: listOptionNames<OfToken>(TOKEN),
  refresh: listOptionNames<OfToken & WithDuration>({ ...TOKEN, duration: true }),
  update: listOptionNames<OfToken & { data: unknown }>({ ...TOKEN, data: true }),
  kill: listOptionNames<OfToken>(TOKEN),
  killAll: listOptionNames<OfOwner>(OWNER),
};

/**
 * The sessions of any number of apps, on a client of ioredis that it opens: `client`. Close that client
 * when the program ends.
 *
 * Where there is no session, `get` resolves to undefined, and `refresh`, `update` and `kill` to false.
 * With `missing: "reject"` they reject with ERR_SESSION_GONE. `killAll` never does.
 *
 * Each method rejects with ERR_STORE_UNAVAILABLE where Redis does not answer, with ERR_SESSION_CONFIG
 * for an option that it does not have, and with ERR_SESSION_VALUE for one that cannot work.
 */
export class SpotsSessions<out Missing extends OnMissing = OnMissing> {
  readonly #client: Redis;
  readonly #store: CommandStore;
  readonly #tokenEncoding: TokenEncoding;
  readonly #tokenSize: number;
  readonly #rejects: boolean;

  /** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
  constructor(options: SpotsSessionsOptions & { missing: Missing });
  constructor(options?: string | SpotsSessionsOptions);
  constructor(options: string | SpotsSessionsOptions = {}) {
    const { connectionString, tokenEncoding, tokenSize, rejects } = parseSettings(options);
    this.#tokenEncoding = tokenEncoding;
    this.#tokenSize = tokenSize;
    this.#rejects = rejects;
    this.#client = connect(connectionString);
    this.#store = openStore(this.#client, IN_ONE_SHARD);
  }

  /** The client of ioredis, for whatever else Redis can do. It cannot be replaced. */
  get client(): Redis {
    return this.#client;
  }

  set client(_other: never) {
    throw createConfigError(
      "The client of a SpotsSessions cannot be replaced; write new SpotsSessions({ connectionString }) for another server",
      { option: "client" },
    );
  }

  /** Makes a session that lasts for `duration` seconds. Resolves to its token, which is stored nowhere. */
  async create(options: OfOwner & WithDuration & { data?: SpotsData }): Promise<string> {
    const {
      app,
      ownerId,
      data = {},
      duration,
    } = readCallOptions("create", options, OPTIONS.create);
    const token = randomBytes(this.#tokenSize).toString(this.#tokenEncoding);
    await this.#store.create({
      id: deriveId(app, token),
      ...encodeSession(app, ownerId, toJSONRecord("data", data)),
      idleTimeout: null,
      absoluteTimeout: parseSeconds(duration),
    });
    return token;
  }

  /** The owner of a session, and its data; undefined where there is none. */
  async get(options: OfToken): Promise<SpotsSession | IfMissing<Missing, undefined>> {
    const { app, token } = readCallOptions("get", options, OPTIONS.get);
    const found = await this.#store.find(deriveId(app, token));
    if (found.state !== "live") return this.#answerMissing(undefined);
    const { fields } = found.session;
    const owner = fields.get("ownerId");
    if (owner === undefined) return this.#answerMissing(undefined); // written by hand
    const ownerId = decodeValue(owner);
    return {
      ownerId: typeof ownerId === "string" ? ownerId : owner, // what was written by hand, as it is
      data: decodeRecord(fields, DATA_PREFIX),
    };
  }

  /** Makes a session last for `duration` seconds from now. Resolves to whether there was one. */
  async refresh(options: OfToken & WithDuration): Promise<true | IfMissing<Missing, false>> {
    const { app, token, duration } = readCallOptions("refresh", options, OPTIONS.refresh);
    const change = { ...createChange(new Map()), absoluteTimeout: parseSeconds(duration) };
    const { state } = await this.#store.command(deriveId(app, token), change);
    return state === "changed" ? true : this.#answerMissing(false);
  }

  /**
   * Merges into the data of a session: null deletes a value, undefined is ignored. It lasts as long
   * as before. Resolves to whether there was one.
   */
  async update(options: OfToken & { data: SpotsData }): Promise<true | IfMissing<Missing, false>> {
    const { app, token, data } = readCallOptions("update", options, OPTIONS.update);
    const entries = Object.entries(toJSONRecord("data", data));
    // A value that only JSON writes as null, such as NaN, is kept.
    const nulls = readSafely("ERR_SESSION_VALUE", "data", () =>
      entries.filter(([name]) => data[name] === null).map(([name]) => name),
    );
    const deletes = (name: string) => nulls.includes(name);
    const set = entries.filter(([name]) => !deletes(name));
    const unset = entries
      .filter(([name]) => deletes(name))
      .map(([name]) => encodeFieldName(name, DATA_PREFIX));
    const change = createChange(encodeRecord(Object.fromEntries(set), DATA_PREFIX), unset);
    const { state } = await this.#store.command(deriveId(app, token), change);
    return state === "changed" ? true : this.#answerMissing(false);
  }

  /** Ends a session. Resolves to whether there was one. */
  async kill(options: OfToken): Promise<true | IfMissing<Missing, false>> {
    const { app, token } = readCallOptions("kill", options, OPTIONS.kill);
    const ended = await this.#store.end(deriveId(app, token));
    return ended === null ? this.#answerMissing(false) : true;
  }

  /** Ends all sessions that an owner has in an app. Resolves to whether there were any. */
  async killAll(options: OfOwner): Promise<boolean> {
    const { app, ownerId } = readCallOptions("killAll", options, OPTIONS.killAll);
    return (await this.#store.endAll(createOwnerReference(app, ownerId), UNMARKED)) > 0;
  }

  /**
   * Migrates all sessions of @spots-tech/sessions, in bounded steps. No method finds a session before
   * it is migrated. It can be stopped at any time, and started again.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a wrong cursor.
   */
  moveSessions(options: MoveOptions = {}): AsyncGenerator<MoveProgress, void> {
    const cursor = parseCursor(options);
    return new Migrator(this.#client, IN_ONE_SHARD, FOREIGN_LAYOUT).migrateAll(cursor);
  }

  /** Gives the answer where there is no session, or rejects in its place. */
  #answerMissing<Answer>(answer: Answer): IfMissing<Missing, Answer> {
    if (!this.#rejects) return answer as IfMissing<Missing, Answer>;
    throw new SessionError(
      "ERR_SESSION_GONE",
      "There is no session of this app and token: none was made, or it has expired or was killed. Sign the user in again, and call create",
    );
  }
}

/** Its error has no cause, because the cause would hold the URL, and so a password. */
function connect(connectionString: string | undefined): Redis {
  try {
    return connectionString === undefined ? new Redis() : new Redis(connectionString);
  } catch {
    throw createConfigError(
      "connectionString cannot be read; write redis://user:password@host:port, or rediss:// for TLS, with the password percent-encoded",
      { option: "connectionString" },
    );
  }
}

function parseSeconds(seconds: unknown): number {
  const milliseconds = typeof seconds === "number" ? Math.round(seconds * 1000) : Number.NaN;
  if (milliseconds >= 1 && milliseconds <= MAX_DURATION_SECONDS * 1000) return milliseconds;
  throw new SessionError(
    "ERR_SESSION_VALUE",
    "duration must be a number of seconds above zero, and at most 100 years; to end a session, call kill",
    { field: "duration" },
  );
}
