/** All that the store needs of a client. One thin file for each kind of client maps it to this. */
export interface Connection {
  /** Whether the keys are spread over several servers. */
  readonly cluster: boolean;
  /**
   * Sends one command, to the master that has `key`, and resolves to its reply. Rejections and the form of
   * a map are the client's own: see `flattenMap`. It keeps `args`, and doesn't change them.
   */
  send(key: string, name: string, args: readonly string[]): Promise<unknown>;
  /** The master that has `key`, as the client knows it now; null for a client that can't say. */
  readonly findMaster: ((key: string) => Master | Promise<Master>) | null;
}

/** Sends one command. */
export type Send = (name: string, args: readonly string[]) => Promise<unknown>;

/** A server that takes writes. */
export interface Master {
  /** The same name for each key that this server has. */
  readonly name: string;
  /** Opens one more connection, with the client's own address, user, encryption and database. */
  open(timeout: number): OwnConnection;
  /** Opens one more connection, likewise, to hear messages on. */
  listen(timeout: number, hearing: Hearing): ListeningConnection;
}

/** One connection to one server. Once lost it stays lost, and no command is sent again. */
export interface OwnConnection {
  /** Rejects if it can't be opened. */
  readonly ready: Promise<unknown>;
  readonly lost: boolean;
  /** Rejects at once when the connection is lost. */
  readonly send: Send;
  close(): void;
}

/**
 * One connection to one server that hears the messages of shard channels. Once lost it stays lost. It
 * keeps no process alive. A channel is named like a key: a client's key prefix goes before it.
 */
export interface ListeningConnection {
  /** Rejects if it can't be opened. */
  readonly ready: Promise<unknown>;
  /** Some clients never settle it on a server that doesn't have the channel. */
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  close(): void;
}

/** What a listening connection tells. */
export interface Hearing {
  onMessage(channel: string, text: string): void;
  /** The connection was lost or closed, or one of its channels is no longer on its server. Called once. */
  onLost(): void;
}

/**
 * Turns a map, in the form of any client, into an array of name, value, …, as RESP2 has it; leaves any other
 * reply as it is.
 */
export function flattenMap(reply: unknown): unknown {
  if (reply instanceof Map) return [...reply].flat();
  if (Array.isArray(reply) && reply.length > 0 && reply.every(isMapEntry)) {
    return reply.flatMap(({ key, value }) => [key, value]);
  }
  if (typeof reply === "object" && reply !== null && !Array.isArray(reply)) {
    return Object.entries(reply).flat();
  }
  return reply;
}

/** How Valkey GLIDE gives the entries of a map. */
function isMapEntry(entry: unknown): entry is { key: unknown; value: unknown } {
  return typeof entry === "object" && entry !== null && "key" in entry && "value" in entry;
}
