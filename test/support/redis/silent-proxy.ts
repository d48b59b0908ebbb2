/* A TCP proxy in front of a Redis server that stops passing anything on, and closes nothing. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SilentProxy {
  readonly port: number;
  /** From now on nothing more is passed on over the connections there are, and those to come. */
  silence(): void;
  /** The same for the connections alone that have subscribed to a shard channel. Those to come work. */
  silenceListening(): void;
  /** Connections to come work again. Those there are stay silent. */
  hear(): void;
  close(): Promise<void>;
}

export async function openSilentProxy(serverPort: number): Promise<SilentProxy> {
  const links = new Set<{
    silent: boolean;
    listens: boolean;
    readonly sockets: readonly Socket[];
  }>();
  let deaf = false;
  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const link = { silent: deaf, listens: false, sockets: [client, server] };
    links.add(link);
    // Input is read all the same, so that the sender's kernel sees nothing wrong.
    client.on("data", (data) => {
      link.listens ||= /ssubscribe/i.test(data.toString("latin1"));
      if (!link.silent) server.write(data);
    });
    server.on("data", (data) => link.silent || client.write(data));
    client.on("close", () => {
      server.destroy();
      links.delete(link);
    });
    server.on("close", () => link.silent || client.destroy());
    for (const socket of link.sockets) {
      socket.setNoDelay();
      socket.on("error", () => {});
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    silence() {
      deaf = true;
      for (const link of links) link.silent = true;
    },
    silenceListening() {
      for (const link of links) link.silent ||= link.listens;
    },
    hear() {
      deaf = false;
    },
    async close() {
      for (const { sockets } of links) for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
