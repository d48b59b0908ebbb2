import { misconfigured } from "../../../errors.ts";
import { type Connection, flat } from "../connection.ts";

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
  };
}

function sender(client: NodeRedisClient): (key: string, args: string[]) => Promise<unknown> {
  if ("slots" in client) return (key, args) => client.sendCommand(key, false, args, PLAIN);
  if ("acquire" in client) return (_key, args) => client.sendCommand(false, args, PLAIN);
  return (_key, args) => client.sendCommand(args, PLAIN);
}
