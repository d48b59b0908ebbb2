/*
 * Stores that are wrong on purpose: a test that is to catch a fault is shown to catch it. Nothing in
 * src/ knows of this; a fault is other texts for some of the store's scripts, or a store around it.
 */
import { createHash } from "node:crypto";
import type { SessionStore } from "session-sets";
import type { RedisClient } from "session-sets/redis";
import { sources } from "../../src/store/redis/scripts.generated.ts";

export type ScriptName = keyof typeof sources;
export type Scripts = Partial<Record<ScriptName, string>>;

/** What is wrong with a store. */
export interface Mutation {
  /** Other texts for some of the scripts. */
  readonly scripts?: Scripts;
  /** Another store around the store; `client` is what the store itself sends its commands with. */
  readonly store?: (store: SessionStore, client: Sender) => SessionStore;
}

/** The part of a client of ioredis, of one server or a cluster, that the store needs. */
export interface Sender {
  readonly isCluster: boolean;
  readonly status: string;
  readonly options: object;
  call(command: string, args: string[]): Promise<unknown>;
}

/** The text of a script with one part replaced, which must be there exactly once. */
export function edited(script: ScriptName, from: string, to: string, text = sources[script]) {
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`${script} has ${parts.length - 1} of ${JSON.stringify(from)}, not 1`);
  }
  return parts.join(to);
}

const digest = (text: string) => createHash("sha1").update(text).digest("hex");

const names = new Map(
  Object.entries(sources).flatMap(([name, text]) => [
    [digest(text), name as ScriptName],
    [text, name as ScriptName],
  ]),
);

/** Which of the store's scripts a command runs. */
export function scriptOf(args: readonly string[]): ScriptName | undefined {
  return names.get(args[0] ?? "");
}

/** A client that runs other texts instead of some of the store's scripts. */
export function withScripts(client: Sender, scripts: Scripts): Sender & RedisClient {
  return throughClient(client, (command, args) => {
    const [what, ...rest] = args;
    const name = scriptOf(args);
    const text = name && scripts[name];
    if (text === undefined) return client.call(command, args);
    const isText = what === sources[name as ScriptName];
    return client.call(command, [isText ? text : digest(text), ...rest]);
  });
}

/** A client that sends every command through `call`. */
export function throughClient(client: Sender, call: Sender["call"]): Sender & RedisClient {
  return {
    isCluster: client.isCluster,
    get status() {
      return client.status;
    },
    options: client.options,
    call,
  };
}
