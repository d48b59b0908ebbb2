import type { StoreTest } from "../store-test.ts";
import { commanding } from "./commanding.ts";
import { entering } from "./entering.ts";
import { merging } from "./merging.ts";

/**
 * More tests, for a store that takes commands (`CommandStore`), which the entries under
 * `session-sets/compat/` need. A store with the method `command` passes these and `storeContract`.
 *
 * @example
 * import { setTimeout as elapse } from "node:timers/promises";
 *
 * for (const { name, run } of [...storeContract, ...commandContract]) {
 *   test(name, () => run(async () => ({ store: await openMyStore(), elapse })));
 * }
 */
export const commandContract: readonly StoreTest[] = [...commanding, ...entering, ...merging];
