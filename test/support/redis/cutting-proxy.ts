/* A TCP proxy in front of a Redis server that cuts a client's connection at one of its commands. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export const CUTS = ["before the command", "after the command", "in the reply"] as const;
/** Whether the server never gets the command, runs it and cannot answer, or answers by half. */
export type Cut = (typeof CUTS)[number];

export interface CuttingProxy {
  readonly port: number;
  /** From now on cuts the connection at the nth command, the first being 1. */
  arm(cut: Cut, nth: number): void;
  /** Cuts nothing any more; the name of the command that was cut, undefined where none was. */
  disarm(): string | undefined;
  close(): Promise<void>;
}

/** Commands that a client sends by itself when it connects; the store asks INFO for a section. */
const OF_THE_CLIENT = new Set(["HELLO", "CLIENT", "INFO", "COMMAND", "PING"]);

export async function openCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const links = new Set<Socket>();
  let armed: { readonly cut: Cut; left: number; name?: string } | undefined;

  /** How to cut at this command; undefined lets it pass. */
  function cutAt(name: string, { isBare }: { isBare: boolean }): Cut | undefined {
    if (!armed || armed.left === 0) return undefined;
    if (OF_THE_CLIENT.has(name) && (isBare || name !== "INFO")) return undefined;
    armed.left--;
    if (armed.left > 0) return undefined;
    armed.name = name;
    return armed.cut;
  }

  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const waiting: (Cut | undefined)[] = [];
    let broken = false;
    const sever = () => {
      broken = true;
      client.destroy();
      server.destroy();
    };
    const takeCommand = messages((message) => {
      if (broken) return;
      const isBare = message.toString("latin1", 0, 4) === "*1\r\n";
      const cut = cutAt(readName(message), { isBare });
      if (cut === "before the command") return sever();
      waiting.push(cut);
      server.write(message);
    });
    const takeReply = messages((message) => {
      if (broken) return;
      const cut = message[0] === PUSH ? undefined : waiting.shift();
      if (cut === "after the command") return sever();
      if (cut !== "in the reply") return void client.write(message);
      broken = true;
      client.write(message.subarray(0, Math.ceil(message.length / 2)), sever);
    });
    client.on("data", takeCommand);
    server.on("data", takeReply);
    for (const socket of [client, server]) {
      socket.setNoDelay();
      links.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        links.delete(socket);
        sever();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  return {
    port: (listener.address() as AddressInfo).port,
    arm(cut, nth) {
      armed = { cut, left: nth };
    },
    disarm() {
      const name = armed?.name;
      armed = undefined;
      return name;
    },
    async close() {
      for (const socket of links) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

const PUSH = ">".charCodeAt(0);

/** Finds whole RESP messages, which commands are as well as replies, in the parts that arrive. */
export function messages(found: (message: Buffer) => void): (data: Buffer) => void {
  let buffer = Buffer.alloc(0);
  return (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (let end = findEnd(buffer, 0); end !== undefined; end = findEnd(buffer, 0)) {
      found(buffer.subarray(0, end));
      buffer = buffer.subarray(end);
    }
  };
}

/** Where the message that begins at `at` ends; undefined where that has not arrived. */
function findEnd(buffer: Buffer, at: number): number | undefined {
  const line = buffer.indexOf("\r\n", at);
  if (line < 0) return undefined;
  const type = String.fromCharCode(buffer[at] ?? 0);
  const count = Number(buffer.toString("latin1", at + 1, line));
  let end: number | undefined = line + 2;
  if ("$=!".includes(type)) {
    end += count < 0 ? 0 : count + 2;
    return buffer.length < end ? undefined : end;
  }
  if (!"*~>%".includes(type)) return end;
  const parts = type === "%" ? count * 2 : count;
  for (let i = 0; i < parts && end !== undefined; i++) end = findEnd(buffer, end);
  return end;
}

/** A command is an array of bulk strings, and the first is its name. */
export function readName(command: Buffer): string {
  return command.toString("latin1").split("\r\n", 3)[2]?.toUpperCase() ?? "";
}
