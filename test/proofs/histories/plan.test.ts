/* Plans: the same for the same seed, with all there is to do, and shorter where that is asked for. */
import { expect, test } from "vitest";
import { listShorterPlans } from "./campaign.ts";
import { createPlan, type Plan } from "./plan.ts";

const SEEDS = Array.from({ length: 500 }, (_, seed) => seed);

test("a seed always makes the same plan, and another seed another one", () => {
  for (const seed of SEEDS) {
    expect(createPlan(seed, 3)).toEqual(createPlan(seed, 3));
    expect(createPlan(seed, 3)).not.toEqual({ ...createPlan(seed + 1, 3), seed });
  }
});

test("plans have every operation, every fault, and pages of both sizes", () => {
  const plans = SEEDS.map((seed) => createPlan(seed, 3));
  const steps = plans.flatMap(({ programs }) => programs.flat());
  expect(new Set(steps.map((step) => step.do))).toEqual(
    new Set([
      ...["create", "get", "set", "unset", "touch", "rotate", "sign in", "delete"],
      ...["get by id", "delete by id", "size", "ids", "iterate", "list", "has", "delete of set"],
      ...["set all", "unset all", "clear", "trim", "watch", "cut"],
    ]),
  );
  expect(new Set(steps.map(({ fault }) => fault))).toEqual(
    new Set([null, "answer lost", "not sent", "sent twice", "sent late"]),
  );
  expect(new Set(plans.map(({ smallPages }) => smallPages))).toEqual(new Set([true, false]));
  expect(new Set(plans.map(({ limits }) => limits))).toEqual(
    new Set([null, "users end the oldest", "users reject"]),
  );
  const dated = steps.flatMap((step) => ("asOf" in step ? [step.asOf] : []));
  expect(new Set(dated)).toEqual(new Set([null, 0, 1000, 7_200_000, -60_000]));
});

test("shorter plans lack a program, a step or a session each, and nothing else", () => {
  const size = ({ programs, sessions }: Plan) => programs.flat().length + sessions.length;
  for (const plan of SEEDS.map((seed) => createPlan(seed, 3))) {
    const shorter = listShorterPlans(plan);
    const { seed, smallPages, limits } = plan;
    for (const one of shorter) {
      expect(size(one)).toBeLessThan(size(plan));
      expect(one.sessions.length).toBeGreaterThan(0);
      expect(one).toMatchObject({ seed, smallPages, limits });
    }
    expect(new Set(shorter.map((one) => JSON.stringify(one))).size).toBeGreaterThan(0);
  }
});
