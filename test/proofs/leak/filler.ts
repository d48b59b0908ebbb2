/* A program that makes sessions with short deadlines, many at a time, uses some of them, and ends. */
import { Redis } from "ioredis";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { argument } from "../../support/programs/processes.ts";

export interface Filling {
  /** The URL or the Unix socket of the server. */
  readonly url: string;
  readonly prefix: string;
  /** Users `from` up to, and not with, `to`. */
  readonly from: number;
  readonly to: number;
  /** Of each user. */
  readonly sessions: number;
  /** The longest idle timeout (ms). */
  readonly longest: number;
}

const AT_A_TIME = 500;

const { url, prefix, from, to, sessions: each, longest } = argument<Filling>();
const client = new Redis(url);
const sessions = createSessions<{ user_id?: number; team_ids?: number[] }>({
  store: redisStore(client, { prefix, timeout: "20 seconds" }),
  references: { user_id: {}, team_ids: { identity: false } },
  idleTimeout: longest,
  rotationGrace: 1000,
});

let made = 0;
async function fill(i: number): Promise<void> {
  const user_id = from + (i % (to - from));
  const values = i % 10 === 0 ? { user_id, team_ids: [i % 7, 7] } : { user_id };
  const idleTimeout = Math.ceil((longest * (1 + (i % 100))) / 100);
  const { token, session } = await sessions.create(values, { idleTimeout });
  made++;
  if (i % 20 === 0) await sessions.rotate(token, { user_id: user_id + 1 });
  if (i % 20 === 5) await sessions.rotate(token);
  if (i % 20 === 10) await sessions.touch(token);
  if (i % 40 === 15) {
    const rotated = await sessions.rotate(token);
    await sessions.touch(rotated?.token);
    await sessions.rotate(rotated?.token, { user_id });
  }
  if (i % 40 === 35) {
    await sessions.rotate(token);
    await sessions.byId(session.lineage).delete();
  }
  if (i % 40 === 11) {
    const signedIn = await sessions.signIn(token, { user_id }, { keep: ["team_ids"], idleTimeout });
    await sessions.rotate(signedIn.token, {}, { grace: 0 });
  }
  if (i % 40 === 31) {
    const rotated = await sessions.rotate(token);
    await sessions.signIn(rotated?.token, { user_id: user_id + 1 }, { idleTimeout });
  }
}

const count = (to - from) * each;
for (let i = 0; i < count; i += AT_A_TIME) {
  const batch = Array.from({ length: Math.min(AT_A_TIME, count - i) }, (_, j) => fill(i + j));
  await Promise.all(batch);
}
process.send?.({ made });
await client.quit();
process.disconnect?.();
