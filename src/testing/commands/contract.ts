import type { StoreTest } from "../store-test.ts";
import { commanding } from "./commanding.ts";
import { merging } from "./merging.ts";

/**
 * What a store must do besides that takes commands (`CommandStore`): what the entries under
 * `session-sets/compat/` need. A store passes these beside `storeContract`, or has no `command`.
 *
 * @example
 * import { setTimeout as elapse } from "node:timers/promises";
 *
 * for (const { name, run } of [...storeContract, ...commandContract]) {
 *   test(name, () => run(async () => ({ store: await openMyStore(), elapse })));
 * }
 */
export const commandContract: readonly StoreTest[] = [...commanding, ...merging];
