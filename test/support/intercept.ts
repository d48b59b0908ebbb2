/* Stands between a Redis store and its client, so that a test decides what happens when. */
import { createHash } from "node:crypto";
import type { RedisClient } from "session-sets/redis";
import { sources } from "../../generated/scripts.js";

/** The shape of an ioredis client, or of one that stands before another. */
export interface InterceptedClient {
  call(command: string, args: string[]): Promise<unknown>;
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: object;
  /** What a connection of the store's own is made from. No command on that one is intercepted. */
  // biome-ignore lint/suspicious/noExplicitAny: clients of a server and of a cluster take different ones
  duplicate?(...options: any[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a type of the client's own
  nodes?(role: any): unknown;
  readonly slots?: unknown;
  readonly condition?: unknown;
}

export interface Sent {
  /** The command's name in upper case. */
  readonly name: string;
  readonly args: readonly string[];
  /** Which of the store's scripts it runs. */
  readonly script: keyof typeof sources | undefined;
}

const byDigest = new Map(
  Object.entries(sources).map(([name, source]) => [
    createHash("sha1").update(source).digest("hex"),
    name as keyof typeof sources,
  ]),
);
const bySource = new Map<string, keyof typeof sources>(
  Object.entries(sources).map(([name, source]) => [source, name as keyof typeof sources]),
);

/** Makes a text known as that of a script: one that stands for the library's own. */
export function recognize(script: keyof typeof sources, source: string): void {
  byDigest.set(createHash("sha1").update(source).digest("hex"), script);
  bySource.set(source, script);
}

/**
 * A client that hands each command to `around`, which sends it with `pass`, as often as it likes
 * and with other arguments if it likes, and gives the reply.
 */
export function intercepted(
  client: InterceptedClient,
  around: (sent: Sent, pass: (args?: readonly string[]) => Promise<unknown>) => Promise<unknown>,
): RedisClient & InterceptedClient {
  const shape = {
    isCluster: client.isCluster,
    status: client.status,
    options: client.options,
    duplicate: (options: object) => client.duplicate?.(options),
    nodes: (role: string) => client.nodes?.(role),
    get slots() {
      return client.slots;
    },
    get condition() {
      return client.condition;
    },
    call: (command: string, args: string[]) => {
      const name = command.toUpperCase();
      const [what = ""] = args;
      const script = byDigest.get(what) ?? bySource.get(what);
      return around({ name, args, script }, (other = args) => client.call(command, [...other]));
    },
  };
  return shape;
}
