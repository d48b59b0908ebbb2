import { Socket } from "node:net";
import { setImmediate } from "node:timers";

/** The most commands that share a write. The server works on them while this process makes the next ones. */
const MAX_COMMANDS = 16;

/** A client of one server that writes each command to its stream at once, once it is "ready". */
export interface WritingClient {
  readonly status: string;
  readonly stream?: unknown;
}

/**
 * Lets the commands that are made in one turn of the event loop, such as for the requests that have come, share
 * writes to the socket. Each write is a system call, which takes as long as all that the library does for a read.
 *
 * It corks the client's stream before the first of them, and uncorks it when the turn ends. The stream keeps the
 * order of all commands, also of those that the program sends itself. Node counts corks, and drops what
 * a stream that was destroyed still held, as it drops what a socket has not sent; the client sends it again, or
 * rejects it. So nothing has to be known here of what happens to the stream meanwhile.
 */
export class SharedWrites {
  readonly #client: WritingClient;
  /** Corked by this object, until the turn ends. */
  #stream: Socket | null = null;
  #commands = 0;
  #isEndAwaited = false;

  constructor(client: WritingClient) {
    this.#client = client;
  }

  /** Whether the client was given up. One that has lost its connection opens another. */
  get isOver(): boolean {
    return this.#client.status === "end";
  }

  /** Called before a command is given to the client. */
  expectCommand(): void {
    if (this.#stream === null) this.#cork();
    else if (this.#commands < MAX_COMMANDS) this.#commands++;
    else {
      this.#stream.uncork();
      this.#cork();
    }
  }

  #cork(): void {
    const { status, stream } = this.#client;
    // The client itself keeps a command that it can't send yet. Another kind of stream may have no cork, or throw.
    const isWritten = status === "ready" && stream instanceof Socket;
    this.#stream = isWritten ? stream : null;
    if (!isWritten) return;
    stream.cork();
    this.#commands = 1;
    if (this.#isEndAwaited) return;
    this.#isEndAwaited = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#isEndAwaited = false;
    this.#stream?.uncork();
    this.#stream = null;
  };
}
