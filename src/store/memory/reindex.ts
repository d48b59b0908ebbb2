import { misconfigured } from "../../shared/errors.ts";
import type { DeclaredReference, ReindexProgress, RepairOptions } from "../reindexing.ts";
import type { Shelf } from "./entries.ts";
import { keepOwner, type Session, weightOf } from "./entry.ts";
import type { SessionSets } from "./session-sets.ts";

const STEP_SESSIONS = 200;

/**
 * Re-reads the fields of all sessions, for a reference that was declared after they were made.
 * Nothing else is ever wrong in memory. The cursor is the id of the last session that was looked at.
 */
export function reindexKept(
  kept: Shelf,
  sets: SessionSets,
  references: readonly DeclaredReference[],
  { dryRun, cursor }: RepairOptions,
): AsyncGenerator<ReindexProgress, void> {
  if (cursor !== null && !/^[A-Za-z0-9_-]+$/.test(cursor)) {
    throw misconfigured("cursor must be the cursor of a progress of reindex, or null", {
      option: "cursor",
    });
  }
  return steps();

  async function* steps(): AsyncGenerator<ReindexProgress, void> {
    const sum = { scanned: 0, added: 0, removed: 0, corrected: 0 };
    const ids = kept.ids();
    const start = cursor === null ? 0 : ids.indexOf(cursor) + 1; // from the beginning if it is gone
    for (let from = start; from < ids.length; from += STEP_SESSIONS) {
      const step = ids.slice(from, from + STEP_SESSIONS);
      for (const id of step) {
        const session = kept.live(id);
        sum.scanned++;
        if (session?.kind === "session") compare(session, sum);
      }
      yield { cursor: step.at(-1) ?? null, ...sum };
    }
    yield { cursor: null, ...sum };
  }

  function compare(session: Session, sum: { added: number; removed: number; corrected: number }) {
    for (const { field, identity = false, textsOf } of references) {
      const text = session.fields.get(field);
      const texts = text === undefined ? [] : textsOf(text);
      const had = session.references.get(field) ?? new Set<string>();
      const added = texts.filter((one) => !had.has(one)).length;
      const removed = had.size + added - texts.length;
      const isWrong = added + removed > 0;
      sum.added += added;
      sum.removed += removed;
      sum.corrected += Number(isWrong);
      if (!dryRun) mend(session, field, texts, { isWrong, identity });
    }
  }

  function mend(
    session: Session,
    field: string,
    texts: readonly string[],
    { isWrong, identity }: { readonly isWrong: boolean; readonly identity: boolean },
  ) {
    if (isWrong) sets.place(session, field, texts);
    keepOwner(session, field, identity ? texts : []);
    kept.weigh(session, weightOf(session.fields, session.references.values()));
  }
}
