/*
 * A client of HTTP that costs little: it keeps its connections open, sends one request after the other on
 * each, and looks only for what it must. What it costs is not charged to the app.
 */
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly body: string;
  /** The cookies that the answer sets, as a request sends them. */
  readonly cookie: string;
}

export class Connection {
  readonly #port: number;
  #socket: Socket;
  #received = "";
  #settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#open();
  }

  #open(): Socket {
    const socket = connect(this.#port, "127.0.0.1").setNoDelay();
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new Error("The app hung up.")));
    return socket;
  }

  send(path: string, cookie: string): Promise<Answer> {
    // An app hangs up after five seconds without a request, which other apps' turns may take.
    if (this.#socket.destroyed) this.#socket = this.#open();
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const [, length] = /^content-length: (\d+)/im.exec(head) ?? [];
    if (length === undefined) {
      this.#settle?.reject(new Error(`The app's answer has no length:\n${head}`));
      return;
    }
    const body = this.#received.slice(end + 4);
    if (body.length < Number(length)) return;
    this.#received = "";
    if (!head.startsWith("HTTP/1.1 200")) {
      this.#settle?.reject(new Error(`The app failed:\n${head}\n\n${body}`));
      return;
    }
    const cookies = head.matchAll(/^set-cookie: ([^;\r\n]+)/gim);
    const answer = { body, cookie: [...cookies].map(([, pair]) => pair).join("; ") };
    this.#settle?.resolve(answer);
    this.#settle = undefined;
  }
}
