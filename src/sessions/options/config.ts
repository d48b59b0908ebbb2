import { findNameFault } from "../../shared/codec.ts";
import { DAY_MS, parseDuration } from "../../shared/durations.ts";
import { createConfigError, isArray, listOptionNames, quote } from "../../shared/errors.ts";
import { readElements, readOptions, readSafely } from "../../shared/given.ts";
import { isProduction, warn, warnOnce } from "../../shared/warnings.ts";
import type { SessionStore } from "../../store/contract.ts";
import type { Limit } from "../../store/entering.ts";
import { memoryStore } from "../../store/memory/options.ts";
import type { Deadlines, ReferenceOptions, SessionsOptions } from "../types.ts";
import { parseSchema, type StandardSchema } from "./schema.ts";

const OPTIONS = listOptionNames<SessionsOptions<object>>({
  data: true,
  store: true,
  references: true,
  idleTimeout: true,
  absoluteTimeout: true,
  maxBytes: true,
  rotationGrace: true,
});
const REFERENCE_OPTIONS = listOptionNames<ReferenceOptions>({
  identity: true,
  type: true,
  as: true,
  limit: true,
  whenFull: true,
});
const DEFAULT_MAX_BYTES = 65_536;
/** OWASP ASVS 5.0, 7.3.1 and 7.3.2, ask for both; NIST SP 800-63B-4 allows 30 days at its lowest level. */
const DEFAULT_TIMEOUTS = { idleTimeout: 7 * DAY_MS, absoluteTimeout: 30 * DAY_MS };

/** How a reference is declared. */
export interface ReferenceConfig {
  /** Whether its sets are also kept as plain Redis sets. */
  readonly plain: boolean;
  /** The one type that its values may have, or null for any. */
  readonly type: "string" | "number" | null;
  /** How many sessions a value may have, if that is limited. */
  readonly limit: Limit | undefined;
}

/** The timeouts of a new session. */
export interface Timeouts {
  readonly idleTimeout: number | null;
  readonly absoluteTimeout: number | null;
}

/** The checked options of `createSessions`, without the store. */
export interface Settings extends Timeouts {
  readonly schema: StandardSchema<unknown> | null;
  readonly references: ReadonlyMap<string, ReferenceConfig>;
  /** The references that say who the user is. */
  readonly identity: readonly string[];
  /** Whether the absolute timeout is the default. */
  readonly defaultAbsoluteTimeout: boolean;
  readonly maxBytes: number;
  readonly rotationGrace: number;
}

/** The checked options, with the store. */
export interface Config extends Settings {
  readonly store: SessionStore;
}

export function parseConfig(given: SessionsOptions<object> = {}): Config {
  if (typeof given !== "object" || given === null) {
    throw createConfigError(
      'createSessions takes an object of options, such as { references: ["user_id"] }',
    );
  }
  const options = readOptions("createSessions", given, OPTIONS);
  const { data, absoluteTimeout, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (!(Number.isInteger(maxBytes) && maxBytes >= 1)) {
    throw createConfigError("maxBytes must be a whole number above zero", { option: "maxBytes" });
  }
  const defaultAbsoluteTimeout = absoluteTimeout === undefined;
  const timeouts = parseTimeouts(options, { ...DEFAULT_TIMEOUTS, defaultAbsoluteTimeout });
  const rotationGrace = parseDuration("rotationGrace", options.rotationGrace ?? "10 seconds", {
    allowZero: true,
  });
  const store =
    options.store ?? createDefaultStore("Give createSessions a store: redisStore(client)");
  if (!isStore(store)) {
    throw createConfigError(
      "store must be a session store, such as redisStore(client) or memoryStore(), not a client",
      { option: "store" },
    );
  }
  return {
    store,
    schema: parseSchema(data),
    ...parseReferences(options.references ?? {}, store),
    ...timeouts,
    defaultAbsoluteTimeout,
    maxBytes,
    rotationGrace,
  };
}

/**
 * Parses the timeouts to ms, or null for one that is turned off. `defaults` has those that are left out.
 *
 * @throws SessionError ERR_SESSION_CONFIG if both are off, or if the idle one is longer than the default
 * of the absolute one.
 */
export function parseTimeouts(
  { idleTimeout, absoluteTimeout }: Deadlines,
  defaults: Timeouts & Pick<Config, "defaultAbsoluteTimeout">,
): Timeouts {
  const idle = parseTimeout("idleTimeout", idleTimeout, defaults.idleTimeout);
  const absolute = parseTimeout("absoluteTimeout", absoluteTimeout, defaults.absoluteTimeout);
  if (idle === null && absolute === null) {
    throw createConfigError(
      "A session must end some day, so idleTimeout and absoluteTimeout cannot both be null: give one of them a duration",
      { option: "idleTimeout" },
    );
  }
  const unnamed = absoluteTimeout === undefined && defaults.defaultAbsoluteTimeout;
  if (
    unnamed &&
    idleTimeout !== undefined &&
    idle !== null &&
    absolute !== null &&
    idle > absolute
  ) {
    throw createConfigError(
      "idleTimeout is longer than absoluteTimeout, which is 30 days by default: set both, or turn off the absolute one with absoluteTimeout: null",
      { option: "idleTimeout" },
    );
  }
  return { idleTimeout: idle, absoluteTimeout: absolute };
}

function parseTimeout(
  name: string,
  timeout: Deadlines["idleTimeout"],
  byDefault: number | null,
): number | null {
  if (timeout === undefined) return byDefault;
  return timeout === null ? null : parseDuration(name, timeout);
}

/** The declaration of one reference, before it is checked. */
type ReferenceDeclaration = ReferenceOptions | true | undefined;

function parseReferences(
  declared: object,
  store: SessionStore,
): Pick<Config, "references" | "identity"> {
  const references = new Map<string, ReferenceConfig>();
  const identity: string[] = [];
  for (const [field, given] of listDeclarations(declared)) {
    if (given === undefined) continue;
    const what = `The reference ${quote(field)}`;
    const about = { option: "references", field };
    const fault = findNameFault(field) ?? (references.has(field) ? "is declared twice" : undefined);
    if (fault) throw createConfigError(`${what} ${fault}`, about);
    const options = parseReferenceOptions(what, given, store, about);
    const { as, type = null } = options;
    references.set(field, { plain: as === "set", type, limit: toLimit(options) });
    if (options.identity !== false) identity.push(field);
  }
  if (identity.length > 1) warnAboutIdentities(identity);
  return { references, identity };
}

/** Reads the declaration of one reference once, and checks it. */
function parseReferenceOptions(
  what: string,
  given: ReferenceOptions | true,
  store: SessionStore,
  about: { option: string; field: string },
): ReferenceOptions {
  if (given === true) return {};
  if (typeof given !== "object" || given === null) {
    throw createConfigError(
      `${what} must be declared true, or with an object of options such as { identity: false }`,
      about,
    );
  }
  const options = readOptions(what, given, REFERENCE_OPTIONS);
  const fault = findReferenceFault(options, store);
  if (fault) throw createConfigError(`${what} ${fault}`, about);
  return options;
}

/** Lists the fields and their declarations, from a record or from a list of names and records. */
function listDeclarations(declared: object): [string, ReferenceDeclaration][] {
  const list = readElements("ERR_SESSION_CONFIG", "references", declared);
  return (list ?? [declared]).flatMap((one): [string, ReferenceDeclaration][] => {
    if (typeof one === "string" && list !== null) return [[one, {}]];
    if (typeof one === "object" && one !== null && !isArray(one)) {
      return readSafely("ERR_SESSION_CONFIG", "A record of references", () => Object.entries(one));
    }
    throw createConfigError(
      'references must be a list such as ["user_id", { team_ids: { identity: false } }], or a record such as { user_id: true }',
      { option: "references" },
    );
  });
}

function findReferenceFault(options: ReferenceOptions, store: SessionStore): string | undefined {
  const { identity = true, type, as, limit, whenFull } = options;
  if (typeof identity !== "boolean") return "has an option identity that is neither true nor false";
  if (type !== undefined && type !== "string" && type !== "number") {
    return 'has an option type that is neither "string" nor "number"';
  }
  if (as !== undefined && as !== "set") return 'has an option as that is not "set"';
  if (as === "set" && store.shards > 1) {
    return `is declared { as: "set" }, which needs a store of one shard; this one has ${store.shards}`;
  }
  return findLimitFault(limit, whenFull);
}

export function toLimit({
  limit: most,
  whenFull,
}: Pick<ReferenceOptions, "limit" | "whenFull">): Limit | undefined {
  return most === undefined || whenFull === undefined ? undefined : { most, whenFull };
}

export function findLimitFault(limit: unknown, whenFull: unknown): string | undefined {
  if (limit === undefined && whenFull === undefined) return undefined;
  if (limit === undefined)
    return "has an option whenFull, but no limit: add limit: 5, or another number";
  if (!(Number.isSafeInteger(limit) && Number(limit) >= 1)) {
    return "has an option limit that isn't a whole number above zero";
  }
  if (whenFull === "end-oldest" || whenFull === "reject") return undefined;
  return 'has a limit, but its option whenFull is neither "end-oldest", which ends the oldest session when another one enters, nor "reject", which refuses the other one';
}

function warnAboutIdentities(identity: readonly string[]): void {
  warnOnce(
    "SESSION_SETS_IDENTITIES",
    `The references ${identity.map(quote).join(" and ")} all count as saying who the user is, so a change of any of them is a sign-in. Declare those that do not, such as a team or an address, { identity: false }`,
  );
}

/** Recognizes a store by two members that no database client has. */
function isStore(store: unknown): store is SessionStore {
  return readSafely("ERR_SESSION_CONFIG", "The store", () => {
    const { shards, endAll } = Object(store) as Partial<SessionStore>;
    return Number.isInteger(shards) && typeof endAll === "function";
  });
}

/** Makes a memory store. In production it warns, and the warning ends with what to do `instead`. */
export function createDefaultStore(instead: string): SessionStore {
  if (isProduction()) {
    warn(
      "SESSION_SETS_MEMORY_STORE",
      `Sessions are kept in the memory of this process: they end with it, and no other process sees them. ${instead}`,
    );
  }
  return memoryStore();
}
