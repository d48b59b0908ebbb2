import { createConfigError } from "../../../../shared/errors.ts";
import type { Connection } from "../connection.ts";

/** GLIDE's `Decoder.String`. It makes replies strings, whatever the client's `defaultDecoder` is. */
const STRING_DECODER = 1;

/** The shape of a client of Valkey GLIDE 2. Commands always go to the master. */
export type GlideAnyClient = GlideSingle | GlideCluster;

/** `GlideClient`. */
export interface GlideSingle {
  /** Sends any command. */
  customCommand(args: string[], options: { decoder: typeof STRING_DECODER }): Promise<unknown>;
}

/** `GlideClusterClient`. */
export interface GlideCluster {
  /** Sends any command, to the node that has the key. */
  customCommand(
    args: string[],
    options: { decoder: typeof STRING_DECODER; route: { type: "primarySlotKey"; key: string } },
  ): Promise<unknown>;
  readonly ssubscribe: unknown;
}

export function isGlide(client: object): client is GlideAnyClient {
  return "customCommand" in client && typeof client.customCommand === "function";
}

export function createGlideConnection(client: GlideAnyClient): Connection {
  const { config } = client as { config?: { readFrom?: string } };
  if ((config?.readFrom ?? "primary") !== "primary") {
    throw createConfigError(
      'The client reads from a replica, where an ended session can still be read for a while; give redisStore a client without readFrom, or with readFrom: "primary"',
      { option: "client" },
    );
  }
  if (!("ssubscribe" in client)) {
    return {
      cluster: false,
      findMaster: null, // it reopens lost connections silently
      send: (_key, name, args) =>
        client.customCommand([name, ...args], { decoder: STRING_DECODER }),
    };
  }
  return {
    cluster: true,
    findMaster: null,
    send(key, name, args) {
      const route = { type: "primarySlotKey", key } as const;
      return client.customCommand([name, ...args], { decoder: STRING_DECODER, route });
    },
  };
}
