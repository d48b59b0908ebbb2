/* The sessions of a bare handler: a cookie, a hash, and nothing else. */
import { randomBytes } from "node:crypto";
import { openIoredis } from "../clients/ioredis.ts";
import { makeRecord, SESSION_SECONDS } from "../record.ts";

export interface BareSessions {
  /** The name in the session of a request. */
  readName(cookie: string | undefined): Promise<string>;
  /** Makes a session. The header that sets its cookie. */
  signIn(user: number): Promise<string>;
}

export function openBareSessions(url: string): BareSessions {
  const client = openIoredis(url);
  return {
    async readName(cookie = "") {
      const [, id] = /(?:^|; )session=([\w-]+)/.exec(cookie) ?? [];
      const { name = "" } = await client.hgetall(`session:${id}`);
      return name;
    },
    async signIn(user) {
      const id = randomBytes(24).toString("base64url");
      await client.hset(`session:${id}`, makeRecord(user));
      await client.expire(`session:${id}`, SESSION_SECONDS);
      return `session=${id}; Path=/; HttpOnly; SameSite=Lax`;
    },
  };
}
