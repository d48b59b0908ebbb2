import assert from "node:assert/strict";
import type { SessionStore, StoredSession } from "../../store/contract.ts";
import type { ListPlace } from "../../store/listing.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  change,
  createForUser,
  createMany,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  readAllPages,
  SOON_MS,
} from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

/** More sessions than any store reads in one page. */
const MANY = 700;
const USER = of("user_id", "1");

/** Reads one page in the order of deadlines. */
function page(
  store: SessionStore,
  limit: number,
  after: ListPlace | null = null,
): Promise<StoredSession[]> {
  return store.list(USER, { limit, order: "deadline", after });
}

/** Reads all pages of `limit` sessions, and does something else between them. */
async function listAll(
  store: SessionStore,
  limit: number,
  between: (listed: readonly StoredSession[]) => Promise<unknown> = async () => {},
): Promise<StoredSession[]> {
  const listed: StoredSession[] = [];
  for (let after: ListPlace | null = null; ; ) {
    const next = await page(store, limit, after);
    assert.ok(next.length <= limit, `a page of ${next.length}`);
    listed.push(...next);
    if (next.length < limit) return listed;
    after = next.at(-1) as StoredSession;
    await between(listed);
  }
}

function isBehind(place: ListPlace, { id, expiresAt }: ListPlace): boolean {
  return expiresAt < place.expiresAt || (expiresAt === place.expiresAt && id > place.id);
}

function inOrder<Place extends ListPlace>(sessions: readonly Place[]): Place[] {
  return sessions.toSorted((a, b) => (isBehind(a, b) ? -1 : 1));
}

function listIds(sessions: readonly ListPlace[]): string[] {
  return sessions.map(({ id }) => id);
}

/** Creates a session for each of these idle timeouts in hours, and returns the ids. */
function createHours(store: SessionStore, hours: readonly number[]): Promise<string[]> {
  return Promise.all(hours.map((n) => createForUser(store, "1", { idleTimeout: n * HOUR_MS })));
}

/** What may happen to the last session of a page before the next one is asked for. */
const HAPPENINGS: Readonly<
  Record<string, (under: StoreUnderTest, id: string) => Promise<unknown>>
> = {
  ended: ({ store }, id) => store.end(id),
  "taken out of the set": ({ store }, id) => change(store, id, { references: { user_id: ["2"] } }),
  rotated: ({ store }, id) => change(store, id, { rotation: createRotation(newIdBeside(id)) }),
  "rotated without an alias": ({ store }, id) =>
    change(store, id, { rotation: createRotation(newIdBeside(id), { grace: 0 }) }),
  touched: ({ store }, id) => change(store, id),
  "touched for longer": ({ store }, id) => change(store, id, { idleTimeout: 20 * HOUR_MS }),
};

/** Listing a set in the order of deadlines, page by page. */
export const listing: readonly StoreTest[] = [
  storeTest("list by deadlines gives the latest first, whenever each was seen", async (under) => {
    const { store, elapse } = under;
    const [second, third, first] = await createHours(store, [2, 1, 3]);
    await elapse(3);
    expectDone(await change(store, third as string));
    const order = [first, second, third];
    for (const limit of [1, 2, 3, 500]) {
      assert.deepEqual(listIds(await page(store, limit)), order.slice(0, limit));
    }
  }),

  storeTest("list by deadlines gives whole sessions", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: { theme: "dark", empty: "" } });
    assert.deepEqual(await page(store, 10), [await findLive(store, id)]);
  }),

  ...[1, 7, 100, 500].map((limit) =>
    storeTest(`pages by deadlines of ${limit} give each of a large set once`, async ({ store }) => {
      const count = Math.min(MANY, 50 * limit);
      await createMany(store, "1", count);
      const sessions = inOrder(await readAllPages(store, USER, { withFields: true }));
      assert.equal(sessions.length, count);
      assert.deepEqual(await listAll(store, limit), sessions);
    }),
  ),

  storeTest("a page begins behind any place, whether a session is there or not", async (under) => {
    const { store } = under;
    const ids = await createMany(store, "1", 40);
    const sessions = inOrder(await readAllPages(store, USER));
    // Places among those of one deadline, and beside all of them.
    const others = sessions.map(({ expiresAt }) => ({ id: newId(store.shards), expiresAt }));
    const ends = [1, -1].map((by) => ({
      id: ids[0] as string,
      expiresAt: (sessions.at(by === 1 ? 0 : -1) as StoredSession).expiresAt + by,
    }));
    for (const place of [...sessions, ...others, ...ends]) {
      const expected = sessions.filter((session) => isBehind(place, session)).slice(0, 3);
      assert.deepEqual(listIds(await page(store, 3, place)), listIds(expected));
    }
    assert.deepEqual(await page(store, 3, { id: ids[0] as string, expiresAt: 0 }), []);
  }),

  ...Object.entries(HAPPENINGS).map(([name, happen]) =>
    storeTest(`the page after a session that was ${name} is the same`, async (under) => {
      const { store, elapse } = under;
      await createHours(store, [1, 2, 3, 4, 5, 6, 7]);
      const first = await page(store, 3);
      const next = await page(store, 3, first.at(-1));
      await elapse(3);
      await happen(under, (first.at(-1) as StoredSession).id);
      assert.deepEqual(await page(store, 3, first.at(-1)), next);
    }),
  ),

  storeTest("a session whose deadline is brought forward comes once more", async ({ store }) => {
    await createHours(store, [3, 4, 5, 6]);
    const first = await page(store, 2);
    const { id } = first[1] as StoredSession;
    expectDone(await change(store, id, { idleTimeout: HOUR_MS }));
    assert.equal(listIds(await page(store, 3, first[1])).at(-1), id);
  }),

  storeTest("pages by deadlines miss none that is left alone", async ({ store, elapse }) => {
    const ids = await createMany(store, "1", 60);
    await elapse(3);
    const used = new Set<string>();
    const listed = await listAll(store, 7, async (given) => {
      // One that was given, one of those that come last, and a new one: all are in front now.
      const waiting = ids.filter((id) => !used.has(id) && !listIds(given).includes(id));
      for (const id of [given.at(-3)?.id ?? "", waiting[0] ?? ""]) {
        used.add(id);
        await change(store, id);
      }
      await createForUser(store, "1", { idleTimeout: 2 * HOUR_MS });
      await elapse(2);
    });
    assert.deepEqual(listIds(listed), [...new Set(listIds(listed))], "a session came twice");
    const left = ids.filter((id) => !used.has(id));
    assert.deepEqual(
      left.filter((id) => !listIds(listed).includes(id)),
      [],
    );
  }),

  storeTest("sessions that expire between two pages are passed over", async (under) => {
    const { store, elapse } = under;
    const [first, second, third] = await createHours(store, [3, 2, 1]);
    for (let i = 0; i < 3; i++) await createForUser(store, "1", { idleTimeout: SOON_MS });
    // On a slow machine they may be gone by now; what counts is that they are gone in the end.
    const before = await page(store, 4);
    await elapse(PAST_SOON_MS);
    assert.deepEqual(listIds(before).slice(0, 3), [first, second, third]);
    assert.deepEqual(await page(store, 4, before.at(-1)), []);
    assert.deepEqual(listIds(await page(store, 4, before[1])), [third]);
    assert.deepEqual(listIds(await page(store, 4)), [first, second, third]);
  }),

  storeTest("a page of a set without sessions is empty", async ({ store }) => {
    const id = await createForUser(store, "2");
    assert.deepEqual(await page(store, 10), []);
    assert.deepEqual(await page(store, 10, await findLive(store, id)), []);
  }),
];
