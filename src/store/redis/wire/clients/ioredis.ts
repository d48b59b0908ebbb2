import { createConfigError } from "../../../../shared/errors.ts";
import type {
  Connection,
  Hearing,
  ListeningConnection,
  Master,
  OwnConnection,
} from "../connection.ts";
import { computeSlot } from "../slots.ts";
import { SharedWrites } from "./shared-writes.ts";

/**
 * The shape of a client of ioredis 5 or 6: `new Redis()`, also with Sentinel, or `new Cluster()`. It
 * may have a `keyPrefix`.
 */
export interface IoredisClient {
  /** Sends any command. */
  call(command: string, args: string[]): Promise<unknown>;
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: {
    readonly keyPrefix?: string | undefined;
    readonly readOnly?: boolean | undefined;
    readonly role?: string | undefined;
    readonly scaleReads?: unknown;
  };
}

export function isIoredis(client: object): client is IoredisClient {
  const { call, status, options, isCluster } = client as Record<string, unknown>;
  return (
    typeof call === "function" &&
    typeof status === "string" &&
    typeof options === "object" &&
    typeof isCluster === "boolean"
  );
}

export function createIoredisConnection(client: IoredisClient): Connection {
  const { keyPrefix = "", readOnly = false, role, scaleReads = "master" } = client.options;
  if (readOnly || role === "slave" || scaleReads !== "master") {
    throw createConfigError(
      'The client reads from a replica, where an ended session can still be read for a while; give redisStore a client of the master (no readOnly, no role "slave", no scaleReads)',
      { option: "client" },
    );
  }
  // The scripts and the cluster take the hash tag from the first brace.
  if (/[{}]/.test(keyPrefix)) {
    throw createConfigError(
      "The client's keyPrefix has a brace, which would change the hash tag of every key. Leave it out, and name the sessions with redisStore's own prefix",
      { option: "client" },
    );
  }
  const expectCommand = client.isCluster
    ? shareWritesOfNodes(client as ClusterClient)
    : shareWrites(client);
  return {
    cluster: client.isCluster,
    send(key, name, args) {
      expectCommand(key);
      return client.call(name, args as string[]); // which copies them
    },
    findMaster: (key) => findMaster(client, key),
  };
}

/** `Redis` and the nodes of a `Cluster`: the parts that another connection is made from. */
interface SingleClient extends IoredisClient {
  /** Once it has connected: its current database, which `select` may have changed. */
  readonly condition?: { readonly select?: number | undefined } | null;
  duplicate(options: object): OwnClient;
}

interface ClusterClient extends IoredisClient {
  /** For each slot, the `host:port` of its master and then of its replicas. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: "master"): (SingleClient & { readonly options: { host: string; port: number } })[];
}

interface OwnClient extends IoredisClient {
  readonly stream?: { unref?: () => unknown } | undefined;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close" | "moved", listener: () => void): unknown;
  on(event: "smessage", listener: (channel: string, text: string) => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
}

/** What is called with a key before a command is given to the client: see SharedWrites. */
type ExpectCommand = (key: string) => void;

function shareWrites(client: IoredisClient): ExpectCommand {
  const writes = new SharedWrites(client);
  return () => writes.expectCommand();
}

/** Each node of a cluster has writes of its own. */
function shareWritesOfNodes(cluster: ClusterClient): ExpectCommand {
  const slots = new Map<string, number>(); // by hash tag
  const nodes = new Map<string, SharedWrites>();

  function findName(key: string): string | undefined {
    const tag = key.slice(0, key.indexOf("}") + 1);
    const slot = slots.get(tag) ?? computeSlot(tag);
    slots.set(tag, slot);
    return cluster.slots[slot]?.[0];
  }

  function open(name: string): SharedWrites | undefined {
    for (const [one, { isOver }] of nodes) if (isOver) nodes.delete(one);
    const node = findNode(cluster, name);
    if (!node) return undefined;
    const writes = new SharedWrites(node);
    nodes.set(name, writes);
    return writes;
  }

  return (key) => {
    const name = findName(key);
    if (name === undefined) return;
    const known = nodes.get(name);
    const writes = known?.isOver === false ? known : open(name);
    writes?.expectCommand();
  };
}

function findMaster(client: IoredisClient, key: string): Master {
  // The nodes of a cluster don't always have its key prefix.
  const { keyPrefix = "" } = client.options;
  if (!client.isCluster) return toMaster("", client as SingleClient, keyPrefix);
  const cluster = client as ClusterClient;
  const name = cluster.slots[computeSlot(key)]?.[0];
  const node = name === undefined ? undefined : findNode(cluster, name);
  if (name === undefined || !node) throw new Error("the client knows no master of the key's slot");
  return toMaster(name, node, keyPrefix);
}

function findNode(cluster: ClusterClient, name: string): SingleClient | undefined {
  return cluster.nodes("master").find(({ options: { host, port } }) => `${host}:${port}` === name);
}

function toMaster(name: string, client: SingleClient, keyPrefix: string): Master {
  return {
    name,
    open: (timeout) => openOwnConnection(openOwnClient(client, { keyPrefix, timeout })),
    listen: (timeout, hearing) =>
      // Channels are given with the prefix, and messages come with it.
      openListeningConnection(openOwnClient(client, { timeout }), keyPrefix, hearing),
  };
}

interface OwnClientOptions {
  readonly keyPrefix?: string;
  readonly timeout: number;
}

/** Behind Sentinel it connects to the server that is the master at that moment. */
function openOwnClient(client: SingleClient, { keyPrefix = "", timeout }: OwnClientOptions) {
  const db = client.condition?.select;
  const ownClient = client.duplicate({
    keyPrefix,
    ...(db === undefined ? {} : { db }),
    lazyConnect: true,
    connectTimeout: timeout,
    // WAIT has a limit of its own, and a connection that listens may be silent.
    commandTimeout: undefined,
    socketTimeout: undefined,
    // A lost connection stays lost: no reconnection, and no command is sent again.
    retryStrategy: null,
    sentinelRetryStrategy: null,
    reconnectOnError: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  });
  let fault: Error | undefined;
  ownClient.on("error", (error) => {
    fault ??= error; // says why it was closed, which `connect` doesn't
  });
  const ready = ownClient.connect().catch((error) => {
    throw fault ?? error;
  });
  return { ownClient, ready };
}

type Opening = ReturnType<typeof openOwnClient>;

function openOwnConnection({ ownClient, ready }: Opening): OwnConnection {
  let lost = false;
  const close = () => {
    lost = true;
    ownClient.disconnect();
  };
  ownClient.on("close", close);
  return {
    ready,
    get lost() {
      return lost;
    },
    async send(name, args) {
      try {
        return await ownClient.call(name, args as string[]);
      } catch (error) {
        if ((error as Error).name === "ReplyError") throw error;
        close(); // a write fails before the client says that it was closed
        throw new Error("the connection to the master was lost", { cause: error });
      }
    },
    close,
  };
}

function openListeningConnection(
  { ownClient, ready }: Opening,
  keyPrefix: string,
  { onMessage, onLost }: Hearing,
): ListeningConnection {
  let lost = false;
  const close = () => {
    if (lost) return;
    lost = true;
    ownClient.disconnect();
    onLost();
  };
  ownClient.on("close", close);
  // The server has said that a channel has moved. Version 5 takes that for an error.
  ownClient.on("moved", close);
  ownClient.on("error", close);
  ownClient.on("smessage", (channel, text) => {
    if (channel.startsWith(keyPrefix)) onMessage(channel.slice(keyPrefix.length), text);
  });
  return {
    ready: ready.then(() => ownClient.stream?.unref?.()),
    // In lower case: version 5 compares the name so.
    subscribe: (channel) => ownClient.call("ssubscribe", [keyPrefix + channel]),
    unsubscribe: (channel) => ownClient.call("sunsubscribe", [keyPrefix + channel]),
    close,
  };
}
