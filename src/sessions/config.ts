import { milliseconds, optionalMilliseconds } from "../durations.ts";
import { misconfigured, quote, refuseUnknownKeys } from "../errors.ts";
import type { SessionStore } from "../store/contract.ts";
import { memoryStore } from "../store/memory/memory-store.ts";
import { faultOfName } from "../values.ts";
import { isSchema, type StandardSchema } from "./schema.ts";
import type { Deadlines, ReferenceOptions, SessionsOptions } from "./types.ts";

const OPTIONS = [
  "data",
  "store",
  "references",
  "idleTimeout",
  "absoluteTimeout",
  "maxBytes",
  "rotationGrace",
] as const;
const DEFAULT_MAX_BYTES = 65_536;

/** What `createSessions` was told, checked. */
export interface Config {
  readonly store: SessionStore;
  readonly schema: StandardSchema<unknown> | null;
  /** The declared references; `plain`: kept as plain Redis sets, too. */
  readonly references: ReadonlyMap<string, { readonly plain: boolean }>;
  /** The references that say who the user is. */
  readonly identity: readonly string[];
  readonly idleTimeout: number | null;
  readonly absoluteTimeout: number | null;
  readonly maxBytes: number;
  readonly rotationGrace: number;
}

export function configOf(options: SessionsOptions<object, string>): Config {
  if (typeof options !== "object" || options === null) {
    throw misconfigured('createSessions takes its options: { idleTimeout: "30 minutes" }');
  }
  refuseUnknownKeys("createSessions", options, OPTIONS);
  const { data, idleTimeout, absoluteTimeout, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (idleTimeout === undefined && absoluteTimeout === undefined) {
    throw misconfigured(
      'createSessions needs idleTimeout or absoluteTimeout, or both: a session must end some day. { idleTimeout: "30 minutes", absoluteTimeout: "28 days" } suits many',
    );
  }
  if (!(Number.isInteger(maxBytes) && maxBytes >= 1)) {
    throw misconfigured("maxBytes must be a whole number above zero");
  }
  const deadlines = deadlinesOf(options, { idleTimeout: null, absoluteTimeout: null });
  const rotationGrace = milliseconds("rotationGrace", options.rotationGrace ?? "10 seconds", true);
  const store = options.store ?? defaultStore();
  if (!isStore(store)) {
    throw misconfigured(
      "store must be a store of sessions, such as redisStore(client) or memoryStore() make, not a client",
    );
  }
  return {
    store,
    schema: isSchema(data) ? data : null,
    ...referencesOf(options.references ?? {}, store),
    ...deadlines,
    maxBytes,
    rotationGrace,
  };
}

/** The deadlines in ms; what is left out is as in `defaults`. */
export function deadlinesOf(
  { idleTimeout, absoluteTimeout }: Deadlines,
  defaults: Pick<Config, "idleTimeout" | "absoluteTimeout">,
): Pick<Config, "idleTimeout" | "absoluteTimeout"> {
  return {
    idleTimeout: optionalMilliseconds("idleTimeout", idleTimeout) ?? defaults.idleTimeout,
    absoluteTimeout:
      optionalMilliseconds("absoluteTimeout", absoluteTimeout) ?? defaults.absoluteTimeout,
  };
}

function referencesOf(
  declared: { readonly [field: string]: ReferenceOptions | undefined },
  store: SessionStore,
): Pick<Config, "references" | "identity"> {
  const references = new Map<string, { plain: boolean }>();
  const identity: string[] = [];
  for (const [field, options] of Object.entries(declared)) {
    if (options === undefined) continue;
    const fault = faultOfName(field) ?? faultOfReference(options, store);
    if (fault) throw misconfigured(`The reference ${quote(field)} ${fault}`);
    refuseUnknownKeys(`The reference ${quote(field)}`, options, ["rotate", "as"]);
    references.set(field, { plain: options.as === "set" });
    if (options.rotate !== false) identity.push(field);
  }
  return { references, identity };
}

function faultOfReference(options: ReferenceOptions, store: SessionStore): string | undefined {
  if (typeof options !== "object" || options === null) return "takes its options: {} is enough";
  const { rotate = true, as } = options;
  if (typeof rotate !== "boolean") return "has a rotate that is neither true nor false";
  if (as !== undefined && as !== "set") return 'has an as that is not "set"';
  if (as === "set" && store.shards > 1) {
    return `is declared { as: "set" }, which needs a store of one shard; this one has ${store.shards}`;
  }
  return undefined;
}

/** Known by two things that no client of a database has. */
function isStore(store: unknown): store is SessionStore {
  const { shards, endAll } = Object(store) as Partial<SessionStore>;
  return Number.isInteger(shards) && typeof endAll === "function";
}

function defaultStore(): SessionStore {
  if (process.env.NODE_ENV === "production") {
    process.emitWarning(
      "Sessions are kept in the memory of this process: they end with it, and no other process sees them. Give createSessions a store: redisStore(client)",
      { type: "SessionSetsWarning", code: "SESSION_SETS_MEMORY_STORE" },
    );
  }
  return memoryStore();
}
