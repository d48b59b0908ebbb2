import { misconfigured } from "../../../errors.ts";
import { type Connection, flat } from "../connection.ts";

/**
 * The shape of a client of ioredis 5 or 6: `new Redis()`, also with Sentinel, or `new Cluster()`. Its
 * `keyPrefix` is taken into account.
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

export function ioredisConnection(client: IoredisClient): Connection {
  const { keyPrefix = "", readOnly = false, role, scaleReads = "master" } = client.options;
  if (readOnly || role === "slave" || scaleReads !== "master") {
    throw misconfigured(
      'The client reads from a replica, where a session that was ended can still be read for a while; give redisStore a client of the master (no readOnly, no role "slave", no scaleReads)',
    );
  }
  // The scripts find the hash tag by the first brace, and a cluster finds the slot by it.
  if (/[{}]/.test(keyPrefix)) {
    throw misconfigured(
      "The client's keyPrefix has a brace, which would change the hash tag of every key; leave it out, and name the sessions with redisStore's own prefix",
    );
  }
  return {
    cluster: client.isCluster,
    send: async (_key, name, args) => flat(await client.call(name, [...args])),
  };
}
