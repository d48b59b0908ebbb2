/* Tests of targets: whether they cover their surfaces, and rounds of hostile calls. */
import { expect, test } from "vitest";
import { fc } from "../../support/properties.ts";
import type { Target } from "../surfaces/all.ts";
import { createRounds, play, type Round, showRound } from "../surfaces/surfaces.ts";
import { uncoveredMembers } from "./coverage.ts";
import { findLasting, fuzz } from "./runner.ts";
import { inRound } from "./servers.ts";
import type { Servers } from "./worlds.ts";

export function testTarget({ name, surface, open }: Target, servers: () => Servers): void {
  test(`${name}: every method has a target`, async () => {
    const find = async () => {
      const world = await open(servers());
      const [setting] = fc.sample(surface.settings, 1);
      const sample = await surface.open(world, setting);
      const uncovered = uncoveredMembers(name, sample, surface.methods, surface.skipped);
      await world.close();
      return uncovered;
    };
    expect(await findLasting(() => inRound(servers(), find))).toEqual([]);
  });

  test(name, () =>
    fuzz<Round<unknown>>({
      name,
      inputs: createRounds(surface),
      faults: (round) =>
        inRound(servers(), async (watching) => {
          const world = await open(servers());
          const faults = await play(surface, world, round, watching);
          await world.close();
          return faults;
        }),
      show: (round) => showRound(name, round),
      rounds: 40,
    }),
  );
}
