import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { SessionError } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Reference } from "../contract.ts";
import type { Scripts } from "./set-endings.ts";

/**
 * How many times as long as an operation may take a reservation is kept, if it isn't given back: for
 * itself, for counting, for a pause, and for the entry.
 */
const OPERATIONS_PER_RESERVATION = 4;

/** Where reservations are made. */
export interface ReservingStore extends Scripts {
  /** How long (ms) an operation may take. */
  readonly timeout: number;
}

/** Places in one set. */
interface Wanted {
  readonly reference: Reference;
  readonly count: number;
}

/**
 * Reservations of places in each of some sets, for sessions that are about to enter them. Over several
 * shards no script sees the whole of a set, but all reservations of a set are in one shard, and so in an
 * order. A session that counts the set after it has reserved, and adds those who reserved before, has
 * counted all that may be in the set before it: so the last place is given once.
 */
export class Reservations {
  /** How many places others had reserved before, by set. */
  readonly others: readonly number[];
  readonly #store: ReservingStore;
  readonly #places: readonly (readonly [Reference, word: string])[];
  readonly #start: number;
  #hasBegun = false;

  private constructor(
    store: ReservingStore,
    places: readonly (readonly [Reference, string])[],
    start: number,
    others: readonly number[],
  ) {
    this.#store = store;
    this.#places = places;
    this.#start = start;
    this.others = others;
  }

  static async make(store: ReservingStore, wanted: readonly Wanted[]): Promise<Reservations> {
    const start = performance.now();
    const places = wanted.map(({ reference, count }) => {
      return [reference, `${randomBytes(9).toString("base64url")}:${count}`] as const;
    });
    const stays = store.timeout * OPERATIONS_PER_RESERVATION;
    const others = await waitForAll(places.map((place) => reserve(store, place, stays)));
    return new Reservations(store, places, start, others);
  }

  /** Begins to enter, if they outlive an operation that begins now. Whether they do. */
  beginEntry(): boolean {
    const left = this.#store.timeout * OPERATIONS_PER_RESERVATION;
    this.#hasBegun = performance.now() - this.#start <= left - this.#store.timeout;
    return this.#hasBegun;
  }

  /** Does the work, and then gives the places back. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      const done = await work();
      await this.#giveBack();
      return done;
    } catch (error) {
      // Without an answer a session may still enter, until the last moment of its script: its places
      // stay reserved for longer than that.
      if (!this.#hasBegun || !isUnanswered(error)) await this.#giveBack();
      throw error;
    }
  }

  async #giveBack(): Promise<void> {
    // If it fails, the reservations expire. What was done is done, and the caller must learn of that.
    await waitForAll(
      this.#places.map((place) => reserve(this.#store, place, 0).catch(() => undefined)),
    );
  }
}

async function reserve(
  { executor, keys }: ReservingStore,
  [reference, word]: readonly [Reference, string],
  stays: number,
): Promise<number> {
  const key = keys.deriveReservationsKey(reference);
  const args = [word, String(Math.ceil(stays))];
  const [, others] = await executor.write("enter a session set", "reserve", key, args);
  return Number(others);
}

function isUnanswered(error: unknown): boolean {
  return error instanceof SessionError && error.code === "ERR_STORE_UNAVAILABLE";
}
