import type { SessionStore } from "../store/contract.ts";

/** An empty store, and the means to test it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Lets this many ms pass on the store's clock: an injected clock jumps, a real one runs. */
  elapse(ms: number): Promise<void>;
  /** Called after the test, whether it passed or failed. */
  close?(): Promise<void>;
}

/** One test of the suite. */
export interface StoreTest {
  /** A sentence that says what the store does. */
  readonly name: string;
  /** Opens an empty store for this test alone, runs the test and closes the store. */
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
