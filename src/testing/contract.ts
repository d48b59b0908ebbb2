import { changing } from "./changing.ts";
import { changingUsers } from "./changing-users.ts";
import { commanding } from "./commanding.ts";
import { creating } from "./creating.ts";
import { ending } from "./ending.ts";
import { expiring } from "./expiring.ts";
import { largeSets } from "./large-sets.ts";
import { lineages } from "./lineages.ts";
import { lookalikes } from "./lookalikes.ts";
import { merging } from "./merging.ts";
import { racing } from "./racing.ts";
import { referencing } from "./referencing.ts";
import { renewing } from "./renewing.ts";
import { rotating } from "./rotating.ts";
import { sets } from "./sets.ts";
import { severalIdentities } from "./several-identities.ts";
import { signingIn } from "./signing-in.ts";
import type { StoreTest } from "./store-test.ts";

/**
 * What every store must do, as tests for any test runner: they throw AssertionErrors of
 * `node:assert`. A store passes when all of them do.
 *
 * @example
 * import { setTimeout as elapse } from "node:timers/promises";
 *
 * for (const { name, run } of storeContract) {
 *   test(name, () => run(async () => ({ store: await openMyStore(), elapse })));
 * }
 */
export const storeContract: readonly StoreTest[] = [
  ...creating,
  ...changing,
  ...commanding,
  ...referencing,
  ...rotating,
  ...renewing,
  ...lineages,
  ...signingIn,
  ...changingUsers,
  ...severalIdentities,
  ...merging,
  ...ending,
  ...sets,
  ...lookalikes,
  ...largeSets,
  ...expiring,
  ...racing,
];
