import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Exchanged, exchange, type RequestOptions } from "./client.ts";

/** What answers requests until it is closed. */
export interface Served {
  exchange(request: RequestOptions): Promise<Exchanged>;
  close(): Promise<void>;
}

/** A server on a real socket. */
export interface Listening extends Served {
  readonly port: number;
}

/** Lets a server listen on a free port of this machine. */
export async function listen(server: Server): Promise<Listening> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    exchange: (request) => exchange(port, request),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
