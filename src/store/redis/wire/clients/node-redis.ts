import { createConfigError } from "../../../../shared/errors.ts";
import { type Connection, flattenMap, type Master, type OwnConnection } from "../connection.ts";
import { computeSlot } from "../slots.ts";

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

const PLAIN_REPLIES = { typeMapping: {} };

export function isNodeRedis(client: object): client is NodeRedisClient {
  return (
    "isOpen" in client &&
    "sendCommand" in client &&
    typeof client.sendCommand === "function" &&
    !("release" in client) // what a Sentinel leases for a while
  );
}

export function createNodeRedisConnection(client: NodeRedisClient): Connection {
  const { _keyPrefix } = client as { _keyPrefix?: string };
  if (_keyPrefix) {
    throw createConfigError(
      "The client's keyPrefix is not for commands that are sent as they are, as redisStore's are; leave it out, and name the sessions with redisStore's own prefix",
      { option: "client" },
    );
  }
  const send = createSender(client);
  return {
    cluster: "slots" in client,
    async send(key, name, args) {
      if (!client.isOpen) {
        throw new Error("the client is not connected; call `await client.connect()` first");
      }
      return flattenMap(await send(key, [name, ...args]));
    },
    findMaster: async (key) => findMaster(client, key),
  };
}

function createSender(client: NodeRedisClient): (key: string, args: string[]) => Promise<unknown> {
  if ("slots" in client) return (key, args) => client.sendCommand(key, false, args, PLAIN_REPLIES);
  if ("acquire" in client) return (_key, args) => client.sendCommand(false, args, PLAIN_REPLIES);
  return (_key, args) => client.sendCommand(args, PLAIN_REPLIES);
}

/** `createClient()`, and what the other kinds of client are made of. */
interface SingleClient extends NodeRedisSingle {
  readonly options?: { readonly socket?: object };
  duplicate(options: object): OwnClient;
}

interface OwnClient extends NodeRedisSingle {
  readonly isReady: boolean;
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

type RunOnOne = (work: (one: SingleClient) => SingleClient) => Promise<SingleClient>;

interface ClusterNode {
  readonly address: string;
}

interface ClusterClient extends NodeRedisCluster {
  readonly slots: readonly ({ readonly master: ClusterNode } | undefined)[];
  nodeClient(node: ClusterNode): SingleClient | Promise<SingleClient>;
}

async function findMaster(client: NodeRedisClient, key: string): Promise<Master> {
  const { name, single } = await findSingle(client, key);
  // Only what `createClient` makes can be put into another database.
  const selects = single === client;
  return { name, open: (timeout) => openOwnConnection(single, selects, timeout) };
}

async function findSingle(client: NodeRedisClient, key: string) {
  if ("slots" in client) {
    const cluster = client as ClusterClient;
    const node = cluster.slots[computeSlot(key)]?.master;
    if (!node) throw new Error("the client knows no master of the key's slot");
    return { name: node.address, single: await cluster.nodeClient(node) };
  }
  // One that a sentinel or a pool has: it is asked for its options only.
  if ("acquire" in client) {
    const { _execute } = client as unknown as {
      _execute(read: boolean, work: unknown): Promise<SingleClient>;
    };
    return { name: "", single: await _execute.call(client, false, (one: SingleClient) => one) };
  }
  if ("execute" in client) {
    const { execute } = client as { execute: RunOnOne };
    return { name: "", single: await execute.call(client, (one) => one) };
  }
  return { name: "", single: client as SingleClient };
}

function openOwnConnection(client: SingleClient, selects: boolean, timeout: number): OwnConnection {
  const ownClient = client.duplicate({
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
  ownClient.on("error", () => {}); // the commands tell
  return {
    ready: ownClient
      .connect()
      .then(() => (selects ? selectDatabase(client, ownClient) : undefined)),
    get lost() {
      return !ownClient.isReady;
    },
    send: async (name, args) =>
      flattenMap(await ownClient.sendCommand([name, ...args], PLAIN_REPLIES)),
    close: () => {
      if (ownClient.isOpen) ownClient.destroy();
    },
  };
}

/** Puts a connection into the client's database, which `select` may have changed. */
async function selectDatabase(client: SingleClient, ownClient: OwnClient): Promise<void> {
  const [theirs, ours] = await Promise.all([client, ownClient].map(readDatabase));
  if (theirs !== undefined && theirs !== ours)
    await ownClient.sendCommand(["SELECT", theirs], PLAIN_REPLIES);
}

/** Only the server tells it; undefined where the user may not ask. */
async function readDatabase(client: NodeRedisSingle): Promise<string | undefined> {
  try {
    const info = await client.sendCommand(["CLIENT", "INFO"], PLAIN_REPLIES);
    return /\bdb=(\d+)/.exec(String(info))?.[1];
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)\b/.test(error.message)) return undefined;
    throw error;
  }
}
