/* This library's sessions, for every framework. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { openIoredis } from "../clients/ioredis.ts";
import type { SessionRecord } from "../record.ts";

export function openOurSessions(url: string) {
  return createSessions({
    data: {} as SessionRecord,
    store: redisStore(openIoredis(url)),
    references: ["user_id"],
  });
}
