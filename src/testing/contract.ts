import { asOf } from "./core/as-of.ts";
import { changing } from "./core/changing.ts";
import { creating } from "./core/creating.ts";
import { ending } from "./core/ending.ts";
import { enteringFullSets } from "./core/entering-full-sets.ts";
import { expiring } from "./core/expiring.ts";
import { limiting } from "./core/limiting.ts";
import { listing } from "./core/listing.ts";
import { lookalikes } from "./core/lookalikes.ts";
import { referencing } from "./core/referencing.ts";
import { sets } from "./core/sets.ts";
import { trimming } from "./core/trimming.ts";
import { changingUsers } from "./identity/changing-users.ts";
import { severalIdentities } from "./identity/several-identities.ts";
import { signingIn } from "./identity/signing-in.ts";
import { largeSets } from "./large-sets.ts";
import { racing } from "./racing.ts";
import { lineages } from "./rotation/lineages.ts";
import { renewing } from "./rotation/renewing.ts";
import { rotating } from "./rotation/rotating.ts";
import type { StoreTest } from "./store-test.ts";

/**
 * The tests that every store must pass, for any test runner. They throw AssertionErrors of
 * `node:assert`.
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
  ...asOf,
  ...changing,
  ...referencing,
  ...rotating,
  ...renewing,
  ...lineages,
  ...signingIn,
  ...changingUsers,
  ...severalIdentities,
  ...ending,
  ...sets,
  ...listing,
  ...lookalikes,
  ...limiting,
  ...enteringFullSets,
  ...trimming,
  ...largeSets,
  ...expiring,
  ...racing,
];
