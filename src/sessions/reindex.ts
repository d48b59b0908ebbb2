import { decodeValue, referenceTexts } from "../shared/codec.ts";
import { misconfigured, optionNames } from "../shared/errors.ts";
import { optionsOf } from "../shared/given.ts";
import type { SessionStore } from "../store/contract.ts";
import { type DeclaredReference, isRepairable, type ReindexProgress } from "../store/reindexing.ts";
import type { Settings } from "./config.ts";

/** How `reindex` walks. */
export interface ReindexOptions {
  /**
   * Whether to report only, and write nothing.
   * @default false
   */
  dryRun?: boolean;
  /** The `cursor` of a progress, to go on from there; null or left out begins anew. */
  cursor?: string | null;
}

const OPTIONS = optionNames<ReindexOptions>({ dryRun: true, cursor: true });

export function reindex(
  store: SessionStore,
  { references, identity }: Settings,
  options: ReindexOptions,
): AsyncGenerator<ReindexProgress, void> {
  const { dryRun = false, cursor = null } = optionsOf("reindex", options, OPTIONS);
  if (typeof dryRun !== "boolean") {
    throw misconfigured("dryRun must be true or false", { option: "dryRun" });
  }
  if (cursor !== null && typeof cursor !== "string") {
    throw misconfigured("cursor must be the cursor of a progress of reindex, or null", {
      option: "cursor",
    });
  }
  if (!isRepairable(store)) {
    throw misconfigured("This store cannot reindex: it has no reindex method");
  }
  const declared: DeclaredReference[] = [...references].map(([field, { plain }]) => ({
    field,
    plain,
    identity: identity.includes(field),
    textsOf: (text) => textsOf(field, text),
  }));
  return store.reindex(declared, { dryRun, cursor });
}

/** What was written before the field was declared may be no reference, such as an object. */
function textsOf(field: string, text: string): readonly string[] {
  try {
    return referenceTexts(field, decodeValue(text));
  } catch {
    return [];
  }
}
