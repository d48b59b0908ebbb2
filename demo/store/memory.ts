import { type MemoryStoreOptions, memoryStore } from "session-sets/memory";
import type { ShownStore, Stored, StoredEntry } from "./reading.ts";

/** Opens the memory store. It has no keys, so what is shown stands under the names that it gives its places. */
export function openMemory(options: MemoryStoreOptions = {}): ShownStore {
  const store = memoryStore(options);
  return {
    store,
    name: "memory",
    about:
      "Here a session is an object in a Map of this process, and the set is a Set of those. In Redis they would be a hash each and a sorted set.",
    async read(userId, ended = []) {
      const reference = { field: "user_id", text: userId, plain: false };
      const sessions = await store.list(reference, { limit: 500, order: "last-seen" });
      if (sessions.length === 0) return [];
      const set: Stored = {
        key: store.setKey(reference),
        type: "Set",
        role: "set",
        expiresAt: null,
        entries: sessions.map(({ id }) => ({ name: store.sessionKey(id), value: "" })),
      };
      const objects = sessions.map(
        ({ id, lineage, fields, createdAt, lastSeenAt, idleTimeout, ...deadlines }): Stored => ({
          key: store.sessionKey(id),
          type: "object",
          role: "session",
          session: { id, lineage },
          expiresAt: deadlines.expiresAt,
          entries: [
            ...Array.from(fields, ([name, value]) => ({ name, value })),
            moment("createdAt", createdAt),
            moment("lastSeenAt", lastSeenAt),
            ...(idleTimeout === null
              ? []
              : [{ name: "idleTimeout", value: String(idleTimeout), duration: idleTimeout }]),
            ...(deadlines.absoluteDeadline === null
              ? []
              : [moment("absoluteDeadline", deadlines.absoluteDeadline)]),
            moment("expiresAt", deadlines.expiresAt),
            { name: "lineage", value: lineage },
          ],
        }),
      );
      const live = new Set(sessions.map(({ id }) => id));
      const tombstones = await Promise.all(
        ended
          .filter((id) => !live.has(id))
          .map(async (id): Promise<Stored[]> => {
            const found = await store.find(id);
            if (found.state !== "superseded") return [];
            const entries = [{ name: "by", value: found.by }];
            const session = { id, lineage: id };
            const key = store.sessionKey(id);
            return [{ key, type: "object", role: "ended", session, expiresAt: null, entries }];
          }),
      );
      return [set, ...objects, ...tombstones.flat()];
    },
  };
}

function moment(name: string, time: number): StoredEntry {
  return { name, value: String(time), moment: time };
}
