import { createLimitError } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { FieldReferences, Reference } from "../contract.ts";
import { type LimitedValue, listLimited } from "../entering.ts";
import { type LimitedStore, retryReserved } from "./limits.ts";
import { listByAge } from "./pages.ts";
import { Reservations } from "./reservations.ts";

/**
 * Changes all sessions of a set, where no value has more of them than it may once all have it. Over several
 * shards it reserves a place for each that is to enter a set that rejects.
 *
 * @throws SessionError ERR_SESSION_LIMIT if a value has no room for all.
 */
export async function changeWithinLimits(
  store: LimitedStore,
  reference: Reference,
  references: readonly FieldReferences[],
  work: () => Promise<number>,
): Promise<number> {
  const limited = listLimited(references, "reject");
  if (limited.length === 0) return work();
  return retryReserved(store, async () => {
    const wanted = await countEntering(store, reference, limited);
    const places = wanted.filter(({ value }) => value.limit.whenFull === "reject");
    if (store.shards === 1 || places.every(({ entering }) => entering === 0)) return work();
    const reservations = await Reservations.make(
      store,
      places.map(({ value, entering }) => ({ reference: value.reference, count: entering })),
    );
    return reservations.during(async () => {
      const values = places.map(({ value }) => value);
      const again = await countEntering(store, reference, values);
      const fits = again.every(({ value, there, entering }, i) => {
        const { entering: reserved } = places[i] as Entering;
        const all = there + entering + (reservations.others[i] as number);
        return entering === 0 || (entering <= reserved && all <= value.limit.most);
      });
      return fits && reservations.beginEntry() ? work() : "reserved";
    });
  });
}

/** A value with how many sessions have it, and how many more are to have it. */
interface Entering {
  readonly value: LimitedValue;
  readonly there: number;
  readonly entering: number;
}

/** @throws SessionError ERR_SESSION_LIMIT if a value has no room for all. */
async function countEntering(
  store: LimitedStore,
  reference: Reference,
  limited: readonly LimitedValue[],
): Promise<Entering[]> {
  const all = await listLineages(store, reference);
  return waitForAll(
    limited.map(async (value) => {
      const there = new Set(await listLineages(store, value.reference));
      const entering = all.filter((lineage) => !there.has(lineage)).length;
      const { most } = value.limit;
      if (entering > 0 && there.size + entering > most) {
        throw createLimitError(value.reference.field, most);
      }
      return { value, there: there.size, entering };
    }),
  );
}

async function listLineages(
  { executor, keys, shards }: LimitedStore,
  reference: Reference,
): Promise<string[]> {
  return (await listByAge(executor, keys, shards, reference)).map(({ lineage }) => lineage);
}
