/* A TCP proxy in front of a Redis server that changes what INFO tells. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { messages, readName } from "./cutting-proxy.ts";

export interface InfoProxy {
  readonly url: string;
  /** The names of the commands that came. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

/** `change` is given what the server says, and the section that was asked for. */
export async function openInfoProxy(
  serverPort: number,
  change: (info: string, section: string) => string,
): Promise<InfoProxy> {
  const commands: string[] = [];
  const sockets = new Set<{ destroy(): void }>();
  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const sections: (string | null)[] = [];
    const take = messages((message) => {
      const name = readName(message);
      commands.push(name);
      sections.push(name === "INFO" ? (message.toString().split("\r\n")[4] ?? "") : null);
      server.write(message);
    });
    const takeReply = messages((message) => {
      const section = sections.shift();
      client.write(typeof section === "string" ? changed(message, section) : message);
    });
    const changed = (message: Buffer, section: string) => {
      const text = change(message.toString().split("\r\n").slice(1).join("\r\n"), section);
      const bytes = Buffer.from(text.replace(/^txt:/, "").replace(/\r\n$/, ""));
      return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
    };
    client.on("data", take);
    server.on("data", takeReply);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay();
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    commands,
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
