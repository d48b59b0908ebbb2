import { decodeValue, encodeReferenceTexts } from "../shared/codec.ts";
import { createConfigError, createCursorError, listOptionNames } from "../shared/errors.ts";
import { readOptions } from "../shared/given.ts";
import type { SessionStore } from "../store/contract.ts";
import {
  type DeclaredReference,
  isReindexable,
  type ReindexProgress,
} from "../store/reindexing.ts";
import type { Settings } from "./options/config.ts";

/** How `reindex` goes through the store. */
export interface ReindexOptions {
  /**
   * Whether to report only, and write nothing.
   * @default false
   */
  dryRun?: boolean;
  /** The `cursor` of a progress, to continue from there. Without it, or with null, it starts anew. */
  cursor?: string | null;
}

const OPTIONS = listOptionNames<ReindexOptions>({ dryRun: true, cursor: true });

export function reindex(
  store: SessionStore,
  { references, identity }: Settings,
  options: ReindexOptions,
): AsyncGenerator<ReindexProgress, void> {
  const { dryRun = false, cursor = null } = readOptions("reindex", options, OPTIONS);
  if (typeof dryRun !== "boolean") {
    throw createConfigError("dryRun must be true or false", { option: "dryRun" });
  }
  if (cursor !== null && typeof cursor !== "string") {
    throw createCursorError();
  }
  if (!isReindexable(store)) {
    throw createConfigError(
      "This store cannot reindex: it has no reindex method. redisStore(client) and memoryStore() have one",
    );
  }
  const declared: DeclaredReference[] = [...references].map(([field, { plain }]) => ({
    field,
    plain,
    identity: identity.includes(field),
    toTexts: (text) => decodeTexts(field, text),
  }));
  return store.reindex(declared, { dryRun, cursor });
}

/** A value from before the field was declared may not be one of a reference, such as an object. */
function decodeTexts(field: string, text: string): readonly string[] {
  try {
    return encodeReferenceTexts(field, decodeValue(text));
  } catch {
    return [];
  }
}
