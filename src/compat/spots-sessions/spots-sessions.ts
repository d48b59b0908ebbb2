import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { type MoveProgress, OldSessions } from "../../migrate/migrator.ts";
import { cursorOf, type MoveOptions } from "../../migrate/options.ts";
import { decodeValue } from "../../shared/codec.ts";
import {
  misconfigured,
  optionNames,
  quote,
  refuseUnknownKeys,
  SessionError,
} from "../../shared/errors.ts";
import type { SessionStore } from "../../store/contract.ts";
import { redisStore } from "../../store/redis/options.ts";
import { changeOf } from "../shared/change.ts";
import { asJSON, fieldOf, fieldsOf, recordOf } from "../shared/json-record.ts";
import { OLD_LAYOUT } from "./old-layout.ts";
import { DATA, idOf, ownerOf, storedAs } from "./stored.ts";

/** How tokens are written: encodings that keep every bit. */
export type TokenEncoding = "base64" | "base64url" | "hex" | "latin1" | "binary";

/** Where the sessions are kept, and how tokens look. */
export interface SpotsSessionsOptions {
  /**
   * Where Redis is, such as `redis://localhost:6379`.
   * @default ioredis's: `redis://localhost:6379`
   */
  connectionString?: string;
  /**
   * How a token is written.
   * @default "base64"
   */
  tokenEncoding?: TokenEncoding;
  /**
   * How many random bytes a token has: 20 (160 bits) or more.
   * @default 128
   */
  tokenSize?: number;
}

/** Any record: what is in it becomes what JSON makes of it. */
export interface SpotsData {
  // biome-ignore lint/suspicious/noExplicitAny: what it documents, so that programs compile as before
  [name: string]: any;
}

/** An app; another app's sessions are never found by its name. */
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

/** What `get` finds. */
export interface SpotsSession {
  ownerId: string;
  data: SpotsData;
}

const ENCODINGS: readonly TokenEncoding[] = ["base64", "base64url", "hex", "latin1", "binary"];
const FEWEST_BYTES = 20;
const MOST_SECONDS = 100 * 365 * 86_400;
/** The client is of one server. */
const IN_ONE_SHARD = { prefix: "spots-sessions", shards: 1 } as const;

const OPTIONS = optionNames<SpotsSessionsOptions>({
  connectionString: true,
  tokenEncoding: true,
  tokenSize: true,
});

/**
 * The sessions of any number of apps, on a client of ioredis that it opens: `client`. End that, when
 * the program ends.
 *
 * Each method rejects with ERR_STORE_UNAVAILABLE where Redis does not answer.
 */
export class SpotsSessions {
  /** The client of ioredis, for whatever else Redis can do. */
  readonly client: Redis;
  readonly #store: SessionStore;
  readonly #tokenEncoding: TokenEncoding;
  readonly #tokenSize: number;

  /** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
  constructor(options: string | SpotsSessionsOptions = {}) {
    const chosen = typeof options === "string" ? { connectionString: options } : options;
    refuseUnknownKeys("SpotsSessions", chosen, OPTIONS);
    const { connectionString, tokenEncoding = "base64", tokenSize = 128 } = chosen;
    if (!ENCODINGS.includes(tokenEncoding)) {
      throw misconfigured(
        `tokenEncoding must be one of ${ENCODINGS.join(", ")}, which keep every bit of a token; got ${quote(tokenEncoding)}`,
        { option: "tokenEncoding" },
      );
    }
    if (!(Number.isInteger(tokenSize) && tokenSize >= FEWEST_BYTES)) {
      throw misconfigured(
        `tokenSize must be a whole number of ${FEWEST_BYTES} bytes or more: a token with less can be guessed`,
        { option: "tokenSize" },
      );
    }
    this.#tokenEncoding = tokenEncoding;
    this.#tokenSize = tokenSize;
    this.client = connectionString === undefined ? new Redis() : new Redis(connectionString);
    this.#store = redisStore(this.client, IN_ONE_SHARD);
  }

  /** Makes a session that lasts for `duration` seconds. Resolves to its token, which is kept nowhere. */
  async create({
    app,
    ownerId,
    data = {},
    duration,
  }: OfOwner & WithDuration & { data?: SpotsData }): Promise<string> {
    const token = randomBytes(this.#tokenSize).toString(this.#tokenEncoding);
    await this.#store.create({
      id: idOf(app, token),
      ...storedAs(app, ownerId, asJSON("data", data)),
      idleTimeout: null,
      absoluteTimeout: millisecondsOf(duration),
    });
    return token;
  }

  /** Whose session it is, and its data; undefined where there is none. */
  async get({ app, token }: OfToken): Promise<SpotsSession | undefined> {
    const found = await this.#store.find(idOf(app, token));
    if (found.state !== "live") return undefined;
    const { fields } = found.session;
    const ownerId = String(decodeValue(fields.get("ownerId") ?? ""));
    return { ownerId, data: recordOf(fields, DATA) };
  }

  /** Makes a session last for `duration` seconds from now. Resolves to whether there was one. */
  async refresh({ app, token, duration }: OfToken & WithDuration): Promise<boolean> {
    const change = { ...changeOf(new Map()), absoluteTimeout: millisecondsOf(duration) };
    return (await this.#store.change(idOf(app, token), change)).state === "changed";
  }

  /**
   * Merges into the data of a session: null deletes a value, undefined is ignored. It lasts as long
   * as before. Resolves to whether there was one.
   */
  async update({ app, token, data }: OfToken & { data: SpotsData }): Promise<boolean> {
    const entries = Object.entries(asJSON("data", data));
    const set = fieldsOf(Object.fromEntries(entries.filter(([, value]) => value !== null)), DATA);
    const unset = entries
      .filter(([, value]) => value === null)
      .map(([name]) => fieldOf(name, DATA));
    const changed = await this.#store.change(idOf(app, token), changeOf(set, unset));
    return changed.state === "changed";
  }

  /** Ends a session. Resolves to whether there was one. */
  async kill({ app, token }: OfToken): Promise<boolean> {
    return (await this.#store.end(idOf(app, token))) !== null;
  }

  /** Ends all sessions that an owner has in an app. Resolves to whether there were any. */
  async killAll({ app, ownerId }: OfOwner): Promise<boolean> {
    return (await this.#store.endAll(ownerOf(app, ownerId))) > 0;
  }

  /**
   * Moves all sessions that @spots-tech/sessions has kept, in bounded steps. Until it has come to its
   * end, those that it has not come by are not found. It can be ended at any time, and started again.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a wrong cursor.
   */
  moveSessions(options: MoveOptions = {}): AsyncGenerator<MoveProgress, void> {
    const cursor = cursorOf(options);
    return new OldSessions(this.client, IN_ONE_SHARD, OLD_LAYOUT).moveAll(cursor);
  }
}
function millisecondsOf(seconds: unknown): number {
  const milliseconds = typeof seconds === "number" ? Math.round(seconds * 1000) : Number.NaN;
  if (milliseconds >= 1 && milliseconds <= MOST_SECONDS * 1000) return milliseconds;
  throw new SessionError(
    "ERR_SESSION_VALUE",
    "duration must be a number of seconds above zero, and at most 100 years",
    { field: "duration" },
  );
}
