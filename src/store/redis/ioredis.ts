import { misconfigured } from "../../errors.ts";
import type { Connection } from "./connection.ts";

/** The shape of an ioredis 5 or 6 client (`new Redis()`); its `keyPrefix` is taken into account. */
export interface IoredisClient {
  /** Sends any command. */
  call(command: string, args: string[]): Promise<unknown>;
  readonly status: string;
  readonly options: {
    readonly keyPrefix?: string | undefined;
    readonly readOnly?: boolean | undefined;
    readonly role?: string | undefined;
  };
}

export function isIoredis(client: unknown): client is IoredisClient {
  if (typeof client !== "object" || client === null) return false;
  const { call, status, options, isCluster } = client as Record<string, unknown>;
  return (
    typeof call === "function" &&
    typeof status === "string" &&
    typeof options === "object" &&
    isCluster === false
  );
}

export function ioredisConnection(client: IoredisClient): Connection {
  const { keyPrefix = "", readOnly = false, role } = client.options;
  if (readOnly || role === "slave") {
    throw misconfigured(
      "The client reads from a replica, where a session that was ended can still be read for a while; give redisStore a client of the master",
    );
  }
  // The scripts find the hash tag by the first brace, and a cluster finds the slot by it.
  if (/[{}]/.test(keyPrefix)) {
    throw misconfigured(
      "The client's keyPrefix has a brace, which would change the hash tag of every key; leave it out, and name the sessions with redisStore's own prefix",
    );
  }
  return {
    send: async (_key, name, args) => flat(await client.call(name, [...args])),
  };
}

/** RESP3 gives a map as a Map or an object, RESP2 as an array of name, value, … */
function flat(reply: unknown): unknown {
  if (reply instanceof Map) return [...reply].flat();
  if (typeof reply === "object" && reply !== null && !Array.isArray(reply)) {
    return Object.entries(reply).flat();
  }
  return reply;
}
