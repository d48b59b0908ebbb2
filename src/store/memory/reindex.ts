import { createCursorError } from "../../shared/errors.ts";
import type { DeclaredReference, ReindexProgress, StoreReindexOptions } from "../reindexing.ts";
import type { Entries } from "./entries.ts";
import { estimateBytes, type Session, updateIdentities } from "./entry.ts";
import type { SessionSets } from "./session-sets.ts";

const MAX_STEP_SESSIONS = 200;

/**
 * Reads the fields of all sessions again, for a reference that was declared after they were made.
 * Nothing else can be wrong in memory. The cursor is the id of the last entry that was scanned.
 */
export function reindexEntries(
  entries: Entries,
  sets: SessionSets,
  references: readonly DeclaredReference[],
  { dryRun, cursor }: StoreReindexOptions,
): AsyncGenerator<ReindexProgress, void> {
  if (cursor !== null && !/^[A-Za-z0-9_-]+$/.test(cursor)) {
    throw createCursorError();
  }
  return runSteps();

  async function* runSteps(): AsyncGenerator<ReindexProgress, void> {
    const sum = { scanned: 0, added: 0, removed: 0, corrected: 0 };
    const ids = entries.listIds();
    const start = cursor === null ? 0 : ids.indexOf(cursor) + 1; // from the beginning if that id is gone
    for (let from = start; from < ids.length; from += MAX_STEP_SESSIONS) {
      const step = ids.slice(from, from + MAX_STEP_SESSIONS);
      for (const id of step) {
        const session = entries.find(id);
        sum.scanned++;
        if (session?.kind === "session") compareField(session, sum);
      }
      yield { cursor: step.at(-1) ?? null, ...sum };
    }
    yield { cursor: null, ...sum };
  }

  function compareField(
    session: Session,
    sum: { added: number; removed: number; corrected: number },
  ) {
    for (const { field, identity = false, toTexts } of references) {
      const text = session.fields.get(field);
      const texts = text === undefined ? [] : toTexts(text);
      const had = session.references.get(field) ?? new Set<string>();
      const added = texts.filter((one) => !had.has(one)).length;
      const removed = had.size + added - texts.length;
      const isWrong = added + removed > 0;
      sum.added += added;
      sum.removed += removed;
      sum.corrected += Number(isWrong);
      if (!dryRun) fix(session, field, texts, { isWrong, identity });
    }
  }

  function fix(
    session: Session,
    field: string,
    texts: readonly string[],
    { isWrong, identity }: { readonly isWrong: boolean; readonly identity: boolean },
  ) {
    if (isWrong) sets.setTexts(session, field, texts);
    updateIdentities(session, field, identity ? texts : []);
    entries.updateBytes(session, estimateBytes(session.fields, session.references.values()));
  }
}
