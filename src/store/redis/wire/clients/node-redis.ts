import { createConfigError } from "../../../../shared/errors.ts";
import type {
  Connection,
  Hearing,
  ListeningConnection,
  Master,
  OwnConnection,
} from "../connection.ts";
import { computeSlot } from "../slots.ts";

/**
 * The shape of a client of redis 5 or 6 (node-redis), connected: `createClient`, `createClientPool`,
 * `createSentinel` or `createCluster`. Commands always go to the master.
 */
export type NodeRedisClient = NodeRedisSingle | NodeRedisSentinel | NodeRedisCluster;

/** Options of a command. They make replies strings, and maps lists, whatever the client maps them to. */
export interface NodeRedisCommandOptions {
  typeMapping: { 37: ArrayConstructor };
  timeout?: undefined;
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
  /** Sends any command. It goes to a replica only where it is said to be read-only. */
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

/** The type of maps in RESP3, and what it becomes: a list of name, value, … needs no other reshaping. */
const PLAIN_REPLIES = { typeMapping: { 37: Array } };

/**
 * The same without a time limit of the client's. redis 6 has one for each command that waits to be written, an
 * AbortSignal, which takes longer than the command. The store has a limit for each call.
 */
const UNLIMITED = { ...PLAIN_REPLIES, timeout: undefined };

/** How many commands may be on their way without one: on a connection that hangs they would pile up. */
const MAX_UNLIMITED = 1000;

export function isNodeRedis(client: object): client is NodeRedisClient {
  return (
    "isOpen" in client &&
    "sendCommand" in client &&
    typeof client.sendCommand === "function" &&
    !("release" in client) // a client that is leased from a Sentinel for a while
  );
}

export function createNodeRedisConnection(client: NodeRedisClient): Connection {
  const { _keyPrefix } = client as { _keyPrefix?: string };
  if (_keyPrefix) {
    throw createConfigError(
      "The client doesn't put its keyPrefix before the keys of raw commands, which redisStore sends. Leave it out, and name the sessions with redisStore's own prefix",
      { option: "client" },
    );
  }
  const send = createSender(client);
  return {
    cluster: "slots" in client,
    send(key, name, args) {
      if (client.isOpen) return send(key, [name, ...args]);
      return Promise.reject(
        new Error("the client is not connected; call `await client.connect()` first"),
      );
    },
    findMaster: async (key) => findMaster(client, key),
  };
}

type Send = (key: string, args: string[]) => Promise<unknown>;

function createSender(client: NodeRedisClient): Send {
  const sendWith = createOptionSender(client);
  let onTheirWay = 0;
  const note = () => {
    onTheirWay--;
  };
  return (key, args) => {
    const options = onTheirWay < MAX_UNLIMITED ? UNLIMITED : PLAIN_REPLIES;
    const reply = sendWith(key, args, options);
    onTheirWay++;
    void reply.then(note, note);
    return reply;
  };
}

function createOptionSender(
  client: NodeRedisClient,
): (key: string, args: string[], options: NodeRedisCommandOptions) => Promise<unknown> {
  if ("slots" in client)
    return (key, args, options) => client.sendCommand(key, false, args, options);
  if ("acquire" in client) return (_key, args, options) => client.sendCommand(false, args, options);
  return (_key, args, options) => client.sendCommand(args, options);
}

/** `createClient()`, and the clients that the other kinds are made of. */
interface SingleClient extends NodeRedisSingle {
  readonly options?: { readonly socket?: object };
  duplicate(options: object): OwnClient;
}

interface OwnClient extends NodeRedisSingle {
  readonly isReady: boolean;
  on(event: "error" | "end" | "sharded-channel-moved", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
  unref(): void;
  sSubscribe(channel: string, onMessage: OnMessage): Promise<unknown>;
  sUnsubscribe(channel: string, onMessage: OnMessage): Promise<unknown>;
}

type OnMessage = (text: string, channel: string) => void;

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
  // Only a client of `createClient` can change its database.
  const selectsDatabase = single === client;
  return {
    name,
    open: (timeout) => openOwnConnection(single, { selectsDatabase, timeout }),
    listen: (timeout, hearing) => openListeningConnection(single, timeout, hearing),
  };
}

async function findSingle(client: NodeRedisClient, key: string) {
  if ("slots" in client) {
    const cluster = client as ClusterClient;
    const node = cluster.slots[computeSlot(key)]?.master;
    if (!node) throw new Error("the client knows no master of the key's slot");
    return { name: node.address, single: await cluster.nodeClient(node) };
  }
  // A client of the sentinel or the pool, of which only the options are read.
  if ("acquire" in client) {
    const { _execute } = client as unknown as {
      _execute(isReadonly: boolean, work: unknown): Promise<SingleClient>;
    };
    return { name: "", single: await _execute.call(client, false, (one: SingleClient) => one) };
  }
  if ("execute" in client) {
    const { execute } = client as { execute: RunOnOne };
    return { name: "", single: await execute.call(client, (one) => one) };
  }
  return { name: "", single: client as SingleClient };
}

interface OwnConnectionOptions {
  readonly selectsDatabase: boolean;
  readonly timeout: number;
}

function duplicateOnce(client: SingleClient, timeout: number): OwnClient {
  const ownClient = client.duplicate({
    // A lost connection stays lost: no reconnection, no other server, and no command is sent again.
    socket: {
      ...client.options?.socket,
      connectTimeout: timeout,
      socketTimeout: undefined, // WAIT has a limit of its own, and one that listens may be silent
      reconnectStrategy: false,
    },
    maintNotifications: "disabled",
    disableOfflineQueue: true,
    clientSideCache: undefined,
  });
  ownClient.on("error", () => {}); // commands reject by themselves
  return ownClient;
}

function openOwnConnection(
  client: SingleClient,
  { selectsDatabase, timeout }: OwnConnectionOptions,
): OwnConnection {
  const ownClient = duplicateOnce(client, timeout);
  return {
    ready: ownClient
      .connect()
      .then(() => (selectsDatabase ? selectDatabase(client, ownClient) : undefined)),
    get lost() {
      return !ownClient.isReady;
    },
    send: (name, args) => ownClient.sendCommand([name, ...args], PLAIN_REPLIES),
    close: () => {
      if (ownClient.isOpen) ownClient.destroy();
    },
  };
}

function openListeningConnection(
  client: SingleClient,
  timeout: number,
  hearing: Hearing,
): ListeningConnection {
  const ownClient = duplicateOnce(client, timeout);
  let lost = false;
  const close = () => {
    if (lost) return;
    lost = true;
    if (ownClient.isOpen) ownClient.destroy();
    hearing.onLost();
  };
  for (const event of ["error", "end", "sharded-channel-moved"] as const) {
    ownClient.on(event, close);
  }
  const onMessage: OnMessage = (text, channel) => hearing.onMessage(channel, text);
  return {
    ready: ownClient.connect().then(() => ownClient.unref()),
    subscribe: (channel) => ownClient.sSubscribe(channel, onMessage),
    unsubscribe: (channel) => ownClient.sUnsubscribe(channel, onMessage),
    close,
  };
}

/** Selects the client's current database, which `select` may have changed. */
async function selectDatabase(client: SingleClient, ownClient: OwnClient): Promise<void> {
  const [wanted, current] = await Promise.all([client, ownClient].map(readDatabase));
  if (wanted === undefined || wanted === current) return;
  await ownClient.sendCommand(["SELECT", wanted], PLAIN_REPLIES);
}

/** Only the server knows it; undefined where the user may not ask. */
async function readDatabase(client: NodeRedisSingle): Promise<string | undefined> {
  try {
    const info = await client.sendCommand(["CLIENT", "INFO"], PLAIN_REPLIES);
    return /\bdb=(\d+)/.exec(String(info))?.[1];
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)\b/.test(error.message)) return undefined;
    throw error;
  }
}
