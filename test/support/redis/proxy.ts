/*
 * A TCP proxy in front of a Redis server: it counts what a client really sends, holds it back, and
 * cuts connections.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CommandProxy {
  /** Such as `redis://127.0.0.1:12345`. */
  readonly url: string;
  /** The commands that came since the last `reset`, each as its name and arguments. */
  readonly commands: readonly (readonly string[])[];
  /** How often since then a batch of commands came after the reply to the batch before it. */
  readonly roundTrips: number;
  reset(): void;
  /** From now on takes who connects to another server. */
  lead(port: number): void;
  /** From now on keeps what clients send, instead of passing it on. */
  hold(): void;
  /** Passes on what was kept, and what comes after it. */
  release(): void;
  /** Cuts every connection; clients may connect again. */
  sever(): void;
  close(): Promise<void>;
}

/** Opens a proxy to the Redis server on a port of this machine. */
export async function openProxy(firstPort: number): Promise<CommandProxy> {
  let port = firstPort;
  const links = new Set<{
    readonly client: Socket;
    readonly server: Socket;
    readonly kept: Buffer[];
  }>();
  let commands: string[][] = [];
  let roundTrips = 0;
  let replied = true;
  let holding = false;

  const listener = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    const parse = commandParser((command) => {
      commands.push(command);
      if (replied) roundTrips++;
      replied = false;
    });
    const link = { client, server, kept: [] as Buffer[] };
    links.add(link);
    client.on("data", (data) => {
      parse(data);
      if (holding) link.kept.push(data);
      else server.write(data);
    });
    server.on("data", (data) => {
      replied = true;
      client.write(data);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay();
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        links.delete(link);
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  function sever(): void {
    for (const { client, server } of links) {
      client.destroy();
      server.destroy();
    }
  }

  return {
    url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get commands() {
      return commands;
    },
    get roundTrips() {
      return roundTrips;
    },
    reset() {
      commands = [];
      roundTrips = 0;
      replied = true;
    },
    lead(to) {
      port = to;
    },
    hold() {
      holding = true;
    },
    release() {
      holding = false;
      for (const { server, kept } of links) for (const data of kept.splice(0)) server.write(data);
    },
    sever,
    async close() {
      sever();
      listener.close();
      await once(listener, "close");
    },
  };
}

/** Reads commands, which are RESP arrays of bulk strings, from the parts in which they arrive. */
function commandParser(found: (command: string[]) => void): (data: Buffer) => void {
  let buffer = Buffer.alloc(0);
  return (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (let next = readCommand(buffer); next; next = readCommand(buffer)) {
      found(next.command);
      buffer = buffer.subarray(next.end);
    }
  };
}

function readCommand(buffer: Buffer): { command: string[]; end: number } | undefined {
  const count = readLength(buffer, 0, "*");
  if (!count) return undefined;
  const command: string[] = [];
  let at = count.end;
  for (let i = 0; i < count.length; i++) {
    const bulk = readLength(buffer, at, "$");
    if (!bulk || buffer.length < bulk.end + bulk.length + 2) return undefined;
    command.push(buffer.toString("utf8", bulk.end, bulk.end + bulk.length));
    at = bulk.end + bulk.length + 2;
  }
  return { command, end: at };
}

function readLength(buffer: Buffer, at: number, mark: "*" | "$") {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const line = buffer.toString("latin1", at, end);
  if (line[0] !== mark) throw new Error(`This is no RESP command: ${line.slice(0, 40)}`);
  return { length: Number(line.slice(1)), end: end + 2 };
}
