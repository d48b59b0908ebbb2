// Timers and clocks are imported, here and everywhere in this store. Tests of applications fake the
// global ones, while the server's time is real: a call would wait forever, or time out when the fake
// clock jumps.
import { nextTick } from "node:process";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { createConfigError, SessionError } from "../../../shared/errors.ts";

/**
 * Runs one operation against the server. It rejects with ERR_STORE_UNAVAILABLE when the operation
 * fails, or hasn't ended `timeout` ms after its start. In the latter case `findRefusal` gives the
 * error of the last refusal, if there was one.
 */
export async function runWithTimeout<T>(
  operation: string,
  timeout: number,
  work: () => Promise<T>,
  findRefusal: () => unknown = () => undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = () => reject(findRefusal() ?? createLateError(operation, timeout));
    // If this process was busy until now, the answer may be waiting to be read.
    timer = setTimeout(() => setImmediate(stop), timeout);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw toUnavailableError(operation, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of an operation that hasn't ended in its time. */
export function createLateError(operation: string, timeout: number): SessionError {
  return createUnavailableError(operation, describeNoAnswer(timeout));
}

/** The error of an operation that has failed; a SessionError stays as it is. */
export function toUnavailableError(operation: string, error: unknown): SessionError {
  return error instanceof SessionError
    ? error
    : createUnavailableError(operation, explain(error), error);
}

function createUnavailableError(operation: string, why: string, cause?: unknown): SessionError {
  return new SessionError(
    "ERR_STORE_UNAVAILABLE",
    `The session store could not ${operation}: ${why}`,
    { operation, ...toCause(cause) },
  );
}

/** How many replicas had to acknowledge an ending, and how many did. */
interface Acknowledgement {
  readonly replicas: number;
  /** Left out where the master didn't say. */
  readonly acknowledged?: number;
  /** Why the master didn't say; left out where it took too long. */
  readonly cause?: unknown;
}

/** The error of an ending that the master has done and too few replicas have acknowledged. */
export function createUnderReplicatedError(
  operation: string,
  { replicas, acknowledged, cause }: Acknowledgement,
): SessionError {
  const [where, who] =
    replicas === 1
      ? ["a replica", "no replica has"]
      : [`${replicas} replicas`, `fewer than ${replicas} replicas have`];
  const why = cause === undefined ? "" : ` (${explain(cause)})`;
  return new SessionError(
    "ERR_REPLICAS",
    `The session store could not ${operation} on ${where}: the master has nothing left to end, but ${who} acknowledged that in time${why}, so a failover may bring back what was ended. Call it again to wait again, and check that the replicas are connected to the master and keep up with it`,
    { operation, replicas, acknowledged, ...toCause(cause) },
  );
}

/** Whether a client had too many commands in flight to send another (Valkey GLIDE: 1,000). */
export function isCrowded(error: unknown): boolean {
  return error instanceof Error && /maximum inflight requests/i.test(error.message);
}

/** Whether a server refused a command because the slot of its key is moving. */
export function isMovingSlot(error: unknown): boolean {
  return error instanceof Error && MOVING_SLOT_PATTERN.test(error.message);
}

/**
 * Refuses a client of a single server that is part of a cluster, where another server has the key.
 * Such a client doesn't follow redirections, so it can't reach the other servers.
 *
 * @throws SessionError ERR_SESSION_CONFIG
 */
export function checkReach(error: unknown, { cluster }: { readonly cluster: boolean }): void {
  if (cluster || !(error instanceof Error) || !/^MOVED\b|- Moved: /.test(error.message)) return;
  throw createConfigError(
    "The server is part of a cluster, and the client is for a single server. Give redisStore a client of the cluster: new Cluster(nodes) of ioredis, createCluster of redis, GlideClusterClient of Valkey GLIDE",
    { option: "client" },
  );
}

function describeNoAnswer(timeout: number): string {
  return `no answer within ${timeout} ms. Check that the server is running and that the client can reach it; redisStore's timeout option sets how long to wait${describeFakeTimers()}`;
}

/** Fake timers may keep a client from sending: several wait for one of these before they write to their socket. */
function describeFakeTimers(): string {
  const areReal = globalThis.setImmediate === setImmediate && process.nextTick === nextTick;
  return areReal
    ? ""
    : ". Fake timers have replaced setImmediate or process.nextTick here, and the client may wait for them: leave these two real, or fake only the Date";
}

/**
 * The errors of Redis and Valkey for commands and for scripts, and the redirections to another node
 * that a client passes on when it has followed as many as it will.
 */
const MOVING_SLOT_PATTERN =
  /\bTRYAGAIN\b|^(MOVED|ASK)\b|- (Moved|Ask): |redirections\. Last error: \S+ (MOVED|ASK)\b|attempted to access a non local key|undeclared keys were accessed during rehashing/i;

/** Errors of servers, some of them as Valkey GLIDE words them, and how to fix each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    MOVING_SLOT_PATTERN,
    "the slot of the key is being moved to another node of the cluster; try again",
  ],
  [/\bOOM\b/, "the server is out of memory; raise maxmemory. Sessions can still be read and ended"],
  [/\bREADONLY\b/i, "the client is connected to a read-only replica; connect it to the master"],
  [
    /^LOADING\b|\bBusyLoading/,
    "the server is still loading its data; it will answer when it has finished",
  ],
  [
    /\bCLUSTER ?DOWN\b|knows no master of the key/i,
    "the cluster has no master for the key now, for example while a replica replaces one that failed; try again, and check the cluster's nodes if it lasts",
  ],
  [
    /\bNOREPLICAS\b/i,
    "the server takes no writes while too few replicas follow it (min-replicas-to-write); check that they are connected",
  ],
  [
    /\b(NOAUTH|WRONGPASS|NOPERM|PermissionDenied)\b/i,
    "the client isn't allowed to do this; check its user, password and ACL",
  ],
  [
    /\bWRONGTYPE\b/i,
    "a key of this prefix holds something else; give redisStore a prefix of its own",
  ],
  [
    /unknown command ['`"]?EVAL|could not find scripting engine|Lua scripting support disabled/i,
    "the server runs no Lua scripts, and this store writes by scripts only. Load its Lua module, which Valkey 9.1 and later have apart from the server, or use one that has Lua",
  ],
  [/unknown command/i, "the server lacks a command; Redis 7.0 or Valkey 7.2 and later are needed"],
];

function explain(error: unknown): string {
  const message = readMessage(error);
  const advice = ADVICE.find(([pattern]) => pattern.test(message))?.[1];
  return (
    advice ??
    `${message.slice(0, 200).replace(/\.$/, "")}. Check the server and the client's connection to it`
  );
}

/** The text of an error. A host name whose addresses all refuse gives an error with only a code. */
export function readMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

function toCause(error: unknown): ErrorOptions {
  return error === undefined ? {} : { cause: stripCommand(error) };
}

/**
 * A client's error without the command it carries: the arguments are the session's data. A server
 * that doesn't know a command quotes the first of them in its message.
 */
function stripCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  const [shown = ""] = message.split(", with args beginning with: ", 1);
  const copy = Object.assign(new Error(shown), code === undefined ? {} : { code });
  Object.defineProperty(copy, "name", { value: name });
  Object.defineProperty(copy, "stack", { value: stack?.replace(message, () => shown) });
  return copy;
}
