import { misconfigured } from "../../../../shared/errors.ts";
import { type Connection, flat } from "../connection.ts";

/** GLIDE's `Decoder.String`: replies are strings whatever the client's `defaultDecoder` is. */
const STRINGS = 1;

/** The shape of a client of Valkey GLIDE 2. Commands always go to the master. */
export type GlideAnyClient = GlideSingle | GlideCluster;

/** `GlideClient`. */
export interface GlideSingle {
  /** Sends any command. */
  customCommand(args: string[], options: { decoder: typeof STRINGS }): Promise<unknown>;
}

/** `GlideClusterClient`. */
export interface GlideCluster {
  /** Sends any command, to the node that has the key. */
  customCommand(
    args: string[],
    options: { decoder: typeof STRINGS; route: { type: "primarySlotKey"; key: string } },
  ): Promise<unknown>;
  readonly ssubscribe: unknown;
}

export function isGlide(client: object): client is GlideAnyClient {
  return "customCommand" in client && typeof client.customCommand === "function";
}

export function glideConnection(client: GlideAnyClient): Connection {
  const { config } = client as { config?: { readFrom?: string } };
  if ((config?.readFrom ?? "primary") !== "primary") {
    throw misconfigured(
      'The client reads from a replica, where a session that was ended can still be read for a while; give redisStore a client without readFrom, or with readFrom: "primary"',
      { option: "client" },
    );
  }
  if (!("ssubscribe" in client)) {
    return {
      cluster: false,
      master: null, // it opens lost connections again without a word
      send: async (_key, name, args) =>
        flat(await client.customCommand([name, ...args], { decoder: STRINGS })),
    };
  }
  return {
    cluster: true,
    master: null,
    async send(key, name, args) {
      const route = { type: "primarySlotKey", key } as const;
      return flat(await client.customCommand([name, ...args], { decoder: STRINGS, route }));
    },
  };
}
