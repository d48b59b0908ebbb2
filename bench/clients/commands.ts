/* What the subjects that send their own commands need of a client of Redis. */

export interface Commands {
  hgetall(key: string): Promise<Record<string, string>>;
  hmget(key: string, fields: string[]): Promise<(string | null)[]>;
  get(key: string): Promise<string | null>;
  /** One command, and its reply as the client gives it. */
  send(command: string[]): Promise<unknown>;
  /** Several commands, sent at once. */
  sendAll(commands: string[][]): Promise<unknown[]>;
  /** The same between MULTI and EXEC. */
  sendAtomically(commands: string[][]): Promise<unknown[]>;
  close(): void;
}

export type ClientName = "ioredis" | "node-redis";
