/*
 * The contract of frameworks finds faults of the adapters: each one is planted in a copy of the sources,
 * and the case that is about it fails. Without a fault the same copies pass every case.
 */
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { listCases } from "../../support/cases.ts";
import type { Adapter } from "../../support/http/app.ts";
import { expressAdapterOf } from "../../support/http/apps/express.ts";
import { fastifyAdapterOf } from "../../support/http/apps/fastify.ts";
import { fetchAdapterOf } from "../../support/http/apps/fetch.ts";
import { honoAdapterOf } from "../../support/http/apps/hono.ts";
import { koaAdapterWith } from "../../support/http/apps/koa.ts";
import { nodeAdapterOf } from "../../support/http/apps/node.ts";
import { starter } from "../../support/http/contract/contract.ts";
import { frameworkContract } from "../../support/http/framework/contract.ts";
import type { AdapterName, Mutation } from "../../support/http/framework/mutations/mutation.ts";
import { OF_EXCHANGES } from "../../support/http/framework/mutations/of-exchanges.ts";
import { OF_FETCH_ADAPTERS } from "../../support/http/framework/mutations/of-fetch.ts";
import { OF_NODES_ADAPTERS } from "../../support/http/framework/mutations/of-node.ts";
import { importMutated } from "../../support/proofs/mutated-sources.ts";
import { openMemory } from "../../support/stores/stores.ts";

const MUTATIONS = [...OF_NODES_ADAPTERS, ...OF_FETCH_ADAPTERS, ...OF_EXCHANGES];

/** Makes an adapter of the module of its source. */
const ADAPTERS: Readonly<Record<AdapterName, (module: never) => Adapter>> = {
  koa: (entry) => koaAdapterWith(() => {}, { entry }),
  express: (entry) => expressAdapterOf(entry),
  fastify: fastifyAdapterOf,
  hono: honoAdapterOf,
  node: nodeAdapterOf,
  fetch: fetchAdapterOf,
};
const NAMES = Object.keys(ADAPTERS) as AdapterName[];

// Frameworks print the errors that they answer.
beforeAll(() => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  return () => printed.mockRestore();
});

/** The cases of the contract, under an adapter of which a source was edited. */
async function casesUnder(name: AdapterName, edited: Pick<Mutation, "file" | "edits">) {
  const module = await importMutated(`src/adapters/${name}.ts`, edited, onTestFinished);
  const adapter = ADAPTERS[name](module as never);
  const start = starter(adapter, "/shop", async () => openMemory(), onTestFinished);
  return listCases((by) => frameworkContract({ ...by, start, adapter }));
}

test.each(NAMES)("%s: without a fault a copy passes every case", async (name) => {
  const cases = await casesUnder(name, { file: `src/adapters/${name}.ts`, edits: [] });
  expect(cases.size).toBeGreaterThan(50);
  for (const run of cases.values()) await run();
});

test("every adapter has five faults of its own, and more that it shares", () => {
  for (const name of NAMES) {
    const own = MUTATIONS.filter(({ file }) => file === `src/adapters/${name}.ts`);
    const all = MUTATIONS.filter(({ under }) => under.includes(name));
    expect(own.length, name).toBeGreaterThanOrEqual(5);
    expect(all.length, name).toBeGreaterThanOrEqual(own.length + 5);
  }
});

describe.each(NAMES)("under %s, a fault is found:", (name) => {
  for (const mutation of MUTATIONS) {
    if (!mutation.under.includes(name)) continue;
    test(`${mutation.about} (${mutation.file})`, async () => {
      const cases = await casesUnder(name, mutation);
      const found = [...cases].filter(([whole]) => whole.includes(mutation.foundBy));
      expect(found.map(([whole]) => whole)).toHaveLength(1);
      const [[, run] = [""]] = found;
      const failure = await run?.().then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure, `"${mutation.foundBy}" passes`).toBeInstanceOf(Error);
    });
  }
});
