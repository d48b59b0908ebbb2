import type { StoreTest } from "../store-test.ts";
import { tellingDeadlines } from "./telling-deadlines.ts";
import { tellingEndings } from "./telling-endings.ts";
import { tellingLimits } from "./telling-limits.ts";
import { tellingReplacements } from "./telling-replacements.ts";
import { tellingRotations } from "./telling-rotations.ts";
import { tellingWhom } from "./telling-whom.ts";

/**
 * More tests, for a store that tells what happens to its sessions (`FeedStore`), which `onEnd` and
 * `endings` need. A store with the method `subscribe` passes these and `storeContract`.
 *
 * @example
 * import { setTimeout as elapse } from "node:timers/promises";
 *
 * for (const { name, run } of [...storeContract, ...feedContract]) {
 *   test(name, () => run(async () => ({ store: await openMyStore(), elapse })));
 * }
 */
export const feedContract: readonly StoreTest[] = [
  ...tellingEndings,
  ...tellingLimits,
  ...tellingReplacements,
  ...tellingRotations,
  ...tellingDeadlines,
  ...tellingWhom,
];
