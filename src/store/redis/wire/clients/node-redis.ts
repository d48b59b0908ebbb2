import { misconfigured } from "../../../../shared/errors.ts";
import { type Connection, flat, type Master, type OwnConnection } from "../connection.ts";
import { slotOf } from "../slots.ts";

/**
 * The shape of a client of redis 5 or 6 (node-redis), connected: `createClient`, `createClientPool`,
 * `createSentinel` or `createCluster`. Commands always go to the master.
 */
export type NodeRedisClient = NodeRedisSingle | NodeRedisSentinel | NodeRedisCluster;

/** How a command is sent: with these, replies are read as strings whatever the client maps them to. */
export interface NodeRedisCommandOptions {
  typeMapping: Record<never, never>;
}

/** `createClient()` and `createClientPool()`. */
export interface NodeRedisSingle {
  readonly isOpen: boolean;
  /** Sends any command. */
  sendCommand(args: string[], options: NodeRedisCommandOptions): Promise<unknown>;
}

/** `createSentinel()`. */
export interface NodeRedisSentinel {
  readonly isOpen: boolean;
  /** Sends any command, to a replica only where it is said to be read-only. */
  sendCommand(
    isReadonly: boolean,
    args: string[],
    options: NodeRedisCommandOptions,
  ): Promise<unknown>;
  /** Leases a client of the master. */
  acquire(): unknown;
}

/** `createCluster()`. */
export interface NodeRedisCluster {
  readonly isOpen: boolean;
  /** Sends any command, to the node that has the key. */
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
    options: NodeRedisCommandOptions,
  ): Promise<unknown>;
  readonly slots: unknown;
}

const PLAIN = { typeMapping: {} };

export function isNodeRedis(client: object): client is NodeRedisClient {
  return (
    "isOpen" in client &&
    "sendCommand" in client &&
    typeof client.sendCommand === "function" &&
    !("release" in client) // what a Sentinel leases for a while
  );
}

export function nodeRedisConnection(client: NodeRedisClient): Connection {
  const { _keyPrefix } = client as { _keyPrefix?: string };
  if (_keyPrefix) {
    throw misconfigured(
      "The client's keyPrefix is not for commands that are sent as they are, as redisStore's are; leave it out, and name the sessions with redisStore's own prefix",
      { option: "client" },
    );
  }
  const send = sender(client);
  return {
    cluster: "slots" in client,
    async send(key, name, args) {
      if (!client.isOpen) {
        throw new Error("the client is not connected; call `await client.connect()` first");
      }
      return flat(await send(key, [name, ...args]));
    },
    master: async (key) => masterOf(client, key),
  };
}

function sender(client: NodeRedisClient): (key: string, args: string[]) => Promise<unknown> {
  if ("slots" in client) return (key, args) => client.sendCommand(key, false, args, PLAIN);
  if ("acquire" in client) return (_key, args) => client.sendCommand(false, args, PLAIN);
  return (_key, args) => client.sendCommand(args, PLAIN);
}

/** `createClient()`, and what the other kinds of client are made of. */
interface Single extends NodeRedisSingle {
  readonly options?: { readonly socket?: object };
  duplicate(options: object): Own;
}

interface Own extends NodeRedisSingle {
  readonly isReady: boolean;
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

type OneOf = (work: (one: Single) => Single) => Promise<Single>;

interface Node {
  readonly address: string;
}

interface ClusterOf extends NodeRedisCluster {
  readonly slots: readonly ({ readonly master: Node } | undefined)[];
  nodeClient(node: Node): Single | Promise<Single>;
}

async function masterOf(client: NodeRedisClient, key: string): Promise<Master> {
  const { name, single } = await singleOf(client, key);
  // Only what `createClient` makes can be put into another database.
  const selects = single === client;
  return { name, open: (timeout) => ownConnection(single, selects, timeout) };
}

async function singleOf(client: NodeRedisClient, key: string) {
  if ("slots" in client) {
    const cluster = client as ClusterOf;
    const node = cluster.slots[slotOf(key)]?.master;
    if (!node) throw new Error("the client knows no master of the key's slot");
    return { name: node.address, single: await cluster.nodeClient(node) };
  }
  // One that a sentinel or a pool has: it is asked for its options only.
  if ("acquire" in client) {
    const { _execute } = client as unknown as {
      _execute(read: boolean, work: unknown): Promise<Single>;
    };
    return { name: "", single: await _execute.call(client, false, (one: Single) => one) };
  }
  if ("execute" in client) {
    const { execute } = client as { execute: OneOf };
    return { name: "", single: await execute.call(client, (one) => one) };
  }
  return { name: "", single: client as Single };
}

function ownConnection(client: Single, selects: boolean, timeout: number): OwnConnection {
  const own = client.duplicate({
    // Lost is lost: no reconnection, no move to another server, and nothing that is sent again.
    socket: {
      ...client.options?.socket,
      connectTimeout: timeout,
      socketTimeout: undefined, // WAIT has a limit of its own
      reconnectStrategy: false,
    },
    maintNotifications: "disabled",
    disableOfflineQueue: true,
    clientSideCache: undefined,
  });
  own.on("error", () => {}); // the commands tell
  return {
    ready: own.connect().then(() => (selects ? follow(client, own) : undefined)),
    get lost() {
      return !own.isReady;
    },
    send: async (name, args) => flat(await own.sendCommand([name, ...args], PLAIN)),
    close: () => {
      if (own.isOpen) own.destroy();
    },
  };
}

/** Puts a connection into the client's database, which `select` may have changed. */
async function follow(client: Single, own: Own): Promise<void> {
  const [theirs, ours] = await Promise.all([client, own].map(databaseOf));
  if (theirs !== undefined && theirs !== ours) await own.sendCommand(["SELECT", theirs], PLAIN);
}

/** Only the server tells it; undefined where the user may not ask. */
async function databaseOf(client: NodeRedisSingle): Promise<string | undefined> {
  try {
    const info = await client.sendCommand(["CLIENT", "INFO"], PLAIN);
    return /\bdb=(\d+)/.exec(String(info))?.[1];
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)\b/.test(error.message)) return undefined;
    throw error;
  }
}
