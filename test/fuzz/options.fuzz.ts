/* Hostile options for everything that takes some, and what is made of them used as a program would. */
import { createSessions } from "session-sets";
import * as users from "session-sets/compat/redis-user-sessions";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { fc } from "../support/properties.ts";
import { entriesOfPackage, uncoveredExports } from "./coverage.ts";
import { FACTORIES, type Factory } from "./factories.ts";
import { type Recipe, show } from "./recipes.ts";
import { ADAPTERS } from "./requests.ts";
import { fuzz } from "./runner.ts";
import { inRound, useServers } from "./servers.ts";
import { faultsOfCall, type World } from "./surfaces.ts";
import type { Watch } from "./watch.ts";

const servers = useServers();

test("every export of the package has a target", async () => {
  const covered = new Set([...FACTORIES.map(({ exported }) => exported), ...Object.values(users)]);
  const skipped = {
    "session-sets/testing storeContract": "a list of tests, which throw AssertionErrors",
    "session-sets/testing commandContract": "a list of tests, which throw AssertionErrors",
    "session-sets/testing feedContract": "a list of tests, which throw AssertionErrors",
  };
  expect(uncoveredExports(await entriesOfPackage(), covered, skipped)).toEqual([]);
});

function worldOf(): World {
  const { traffic, client, url } = servers();
  const sessions = createSessions<Record<string, unknown>>({ references: ["user_id"] });
  const givens: Record<string, unknown> = {
    "a store": memoryStore(),
    "a client": client,
    "a URL": url,
    sessions,
    ...Object.fromEntries(
      ADAPTERS.map(({ name, create }) => [`sessions for ${name}`, create(sessions as never)]),
    ),
    "the token": "AAs3cr3t_s3cr3t_s3cr3t_s3cr3t_s3cr",
    "another token": "ABs3cr3t_s3cr3t_s3cr3t_s3cr3t_s3cr",
    "a dead token": "ACs3cr3t_s3cr3t_s3cr3t_s3cr3t_s3cr",
    "an old token": "AEs3cr3t_s3cr3t_s3cr3t_s3cr3t_s3cr",
    "an unknown token": "ADs3cr3t_s3cr3t_s3cr3t_s3cr3t_s3cr",
  };
  const secrets = Object.entries(givens).filter(([name]) => name.endsWith("token"));
  return {
    secrets: new Set([...secrets.map(([, text]) => String(text)), "a secret", "another secret"]),
    prefixes: [""], // what keys begin with is an option, of which any text may come
    traffic,
    of: (name) => givens[name],
    async close() {},
  };
}

async function faultsOfOptions(
  { create, use }: Factory,
  args: readonly Recipe[],
  watching: Watch,
): Promise<string[]> {
  const world = worldOf();
  let made: object | undefined;
  const faults = await faultsOfCall(world, watching, { gives: "either" }, args, (given) => {
    const one: unknown = Reflect.apply(create, undefined, given);
    if (Object(one) === one) made = one as object;
    return one;
  });
  for (const [i, step] of (made ? use(made as never) : []).entries()) {
    const found = await faultsOfCall(world, watching, { gives: "either" }, [], step);
    faults.push(...found.map((fault) => `step ${i + 1} of its use: ${fault}`));
  }
  return faults;
}

for (const factory of FACTORIES) {
  const name = `options of ${factory.name}`;
  test(name, () =>
    fuzz<readonly Recipe[]>({
      name,
      inputs: fc.tuple(...factory.args),
      faults: (args) => inRound(servers(), (watching) => faultsOfOptions(factory, args, watching)),
      show: (args) => `${factory.name}(${args.map(show).join(", ")})`,
      rounds: 60,
    }),
  );
}
