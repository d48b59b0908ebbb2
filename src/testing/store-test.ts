import type { SessionStore } from "../store/contract.ts";

/** A store that is empty, and the means to test it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Lets so many ms pass on the store's clock: an injected clock jumps, a real one runs. */
  elapse(ms: number): Promise<void>;
  /** Called after the test, whether it passed or not. */
  close?(): Promise<void>;
}

/** One test of the suite. */
export interface StoreTest {
  /** What the store does, as a sentence. */
  readonly name: string;
  /** Opens a store that is empty for this test alone, runs the test on it and closes it. */
  run(open: () => Promise<StoreUnderTest>): Promise<void>;
}

export function storeTest(name: string, body: (under: StoreUnderTest) => Promise<void>): StoreTest {
  return {
    name,
    async run(open) {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close?.();
      }
    },
  };
}
