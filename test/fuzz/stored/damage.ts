/*
 * Values under the library's keys that it has not written: by hand, by another program, by an older
 * or a newer version of it. As data, so that it can be done again, shown and shortened.
 */
import type { Redis } from "ioredis";
import { editTimes, parseTimes, type StoredTimes } from "../../support/stores/times.ts";

/** One thing done to a key; keys, ids and texts are named as a world knows them. */
export type Damage = { readonly key: string } & (
  | { readonly do: "set a field"; readonly field: string; readonly text: string }
  | { readonly do: "drop a field"; readonly field: string }
  | { readonly do: "make it another type"; readonly type: Type; readonly text: string }
  | { readonly do: "add an entry"; readonly score: string; readonly text: string }
  | {
      readonly do: "add a crowd";
      readonly score: string;
      readonly text: string;
      readonly count: number;
    }
  | { readonly do: "add a member" | "point to" | "write a record"; readonly text: string }
  | { readonly do: "make an alias"; readonly text: string; readonly before: string }
  | { readonly do: "call it an alias"; readonly text: string }
  | { readonly do: "edit a time"; readonly time: keyof StoredTimes; readonly text: string }
  | { readonly do: "copy"; readonly to: string }
  | { readonly do: "persist" | "delete" | "drop its deadlines" }
);

export type Type = "string" | "list" | "set" | "sorted set" | "hash" | "stream";

/** Damages a key. Commands that the key's type refuses are skipped. */
export async function damage(
  client: Redis,
  one: Damage,
  of: (name: string) => string,
): Promise<void> {
  const key = of(one.key);
  const bytes = (text: string) => encodeBytes(text, of);
  const alias = (text: string) => Buffer.concat([Buffer.from("alias "), bytes(text)]);
  try {
    switch (one.do) {
      case "set a field":
        return void (await client.hset(key, bytes(one.field), bytes(one.text)));
      case "drop its deadlines":
        return await edit(client, key, { idle: "-", absolute: "-" });
      case "edit a time":
        return await edit(client, key, { [one.time]: one.text });
      case "write a record":
        return void (await client.set(key, bytes(one.text), "KEEPTTL"));
      case "copy":
        return void (await client.copy(key, of(one.to), "REPLACE"));
      case "drop a field":
        return void (await client.hdel(key, bytes(one.field)));
      case "make it another type":
        return await replace(client, key, one.type, bytes(one.text));
      case "add an entry":
        return void (await client.zadd(key, bytes(one.score).toString(), bytes(one.text)));
      case "add a crowd":
        return await crowd(client, key, bytes(one.score).toString(), bytes(one.text), one.count);
      case "add a member":
        return void (await client.sadd(key, bytes(one.text)));
      case "point to":
        return void (await client.set(key, bytes(one.text)));
      case "make an alias":
        await client.del(key);
        return void (await client.hset(key, "@", alias(one.text), "@p", bytes(one.before)));
      case "call it an alias":
        return void (await client.hset(key, "@", alias(one.text)));
      default:
        return void (await (one.do === "persist" ? client.persist(key) : client.del(key)));
    }
  } catch (error) {
    if (!/^(WRONGTYPE|ERR)\b/.test((error as Error).message)) throw error;
  }
}

async function edit(client: Redis, key: string, times: Partial<StoredTimes>): Promise<void> {
  if (parseTimes(await client.hget(key, "@"))) await editTimes(client, key, times);
}

async function replace(client: Redis, key: string, type: Type, text: Buffer): Promise<void> {
  await client.del(key);
  const made: Readonly<Record<Type, () => Promise<unknown>>> = {
    string: () => client.set(key, text),
    list: () => client.rpush(key, text),
    set: () => client.sadd(key, text),
    "sorted set": () => client.zadd(key, 1, text),
    hash: () => client.hset(key, "x", text),
    stream: () => client.xadd(key, "*", "x", text),
  };
  await made[type]();
}

/** Entries that share a score: pages end among them. Their ids begin alike. */
async function crowd(
  client: Redis,
  key: string,
  score: string,
  text: Buffer,
  count: number,
): Promise<void> {
  const entries: (string | Buffer)[] = [];
  for (let i = 0; i < count; i++)
    entries.push(score, Buffer.concat([text, Buffer.from([0xff, i >> 8, i & 255])]));
  await client.zadd(key, ...(entries as [string, Buffer]));
}

function encodeBytes(text: string, of: (name: string) => string): Buffer {
  if (text.startsWith("hex:")) return Buffer.from(text.slice(4), "hex");
  return Buffer.from(text.startsWith("the:") ? of(text.slice(4)) : text);
}

export function showDamage(one: Damage): string {
  const { do: what, key, ...rest } = one;
  const details = Object.entries(rest).map(
    ([name, text]) => `${name} ${JSON.stringify(text).slice(0, 60)}`,
  );
  return `${what} of ${key}${details.length > 0 ? ` (${details.join(", ")})` : ""}`;
}
