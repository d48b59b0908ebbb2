/* It bites: each check finds the fault that is planted for it, and nothing where there is none. */
import { SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import { fc } from "../support/properties.ts";
import { fuzz } from "./runs/runner.ts";
import { inRound, useServers } from "./runs/servers.ts";
import { type CoreWorld, openWorld } from "./runs/worlds.ts";
import { type Method, play, type Surface } from "./surfaces/surfaces.ts";

const servers = useServers();
const late = () =>
  new SessionError("ERR_STORE_UNAVAILABLE", "no answer within 2000 ms", { operation: "any" });
const gone = () => new SessionError("ERR_SESSION_GONE", "The session has ended");
const keyIn = ({ prefixes }: CoreWorld) => `${prefixes[0]}0}:planted`;

/** A fault put into a method, and how the expected report of it begins. */
type Planted = [
  method: (world: CoreWorld) => unknown,
  report: RegExp | null,
  spec?: Omit<Method, "args">,
];

const PLANTED: Readonly<Record<string, Planted>> = {
  nothing: [async () => "done", null],
  "a refusal": [() => Promise.reject(gone()), null],
  "an error of the engine": [
    () => Promise.reject(new TypeError("x is not a function")),
    /foreign:/,
  ],
  "a token in an error": [
    (world) => Promise.reject(Object.assign(gone(), { token: world.of("the token") })),
    /leak:/,
  ],
  "a token in a cause": [
    (world) =>
      Promise.reject(
        new SessionError("ERR_SESSION_GONE", "gone", {
          cause: new Error(`${world.of("the token")}`),
        }),
      ),
    /leak:/,
  ],
  "a token on the console": [
    async (world) => console.error(world.of("the token")),
    /leak: the console/,
  ],
  "a line on the console": [async () => console.log("nothing secret"), /console:/],
  "a throw in place of a rejection": [
    () => {
      throw gone();
    },
    /synchronous:/,
  ],
  "a value in place of a promise": [() => 1, /synchronous:/],
  "a promise that never ends": [() => new Promise(() => {}), /hang:/],
  "a lost rejection": [
    async () => {
      void Promise.reject(new Error("lost"));
    },
    /unhandled:/,
  ],
  "a key outside the prefix": [() => servers().client.set("outside", "1"), /outside:/],
  "a read that writes": [
    (world) => servers().client.set(keyIn(world), "1"),
    /read: it writes/,
    { reads: "only" },
  ],
  "a touch that is due": [
    (world) => servers().client.set(keyIn(world), "1"),
    null,
    { reads: "and touches" },
  ],
  "work without a bound": [
    async (world) => {
      for (let i = 0; i < 100; i++) await servers().client.get(keyIn(world));
    },
    /work:/,
  ],
};

/** The faults of a round with one call of a method. */
function findPlanted(
  planted: (world: CoreWorld) => unknown,
  spec: Omit<Method, "args"> = {},
): Promise<string[]> {
  const surface: Surface<CoreWorld> = {
    name: "planted",
    settings: fc.constant(undefined),
    open: (world) => ({ method: () => planted(world) }),
    methods: { method: { args: [], ...spec } },
  };
  return inRound(servers(), async (watching) => {
    const world = await openWorld("Redis", servers());
    const calls = [{ method: "method", args: [] }];
    const found = await play(surface, world, { setting: undefined, calls }, watching);
    await world.close();
    return found;
  });
}

test.each(Object.entries(PLANTED))("%s", async (_, [planted, report, spec]) => {
  const faults = await findPlanted(planted, spec);
  if (report === null) expect(faults).toEqual([]);
  else expect(faults.join("\n")).toMatch(report);
});

test("a read of a store in memory that writes", async () => {
  const surface: Surface<CoreWorld> = {
    name: "planted",
    settings: fc.constant(undefined),
    open: ({ sessions }) => ({ method: () => sessions.create({ user_id: 1 }) }),
    methods: { method: { args: [], reads: "only" } },
  };
  const faults = await inRound(servers(), async (watching) => {
    const world = await openWorld("memory", servers());
    const calls = [{ method: "method", args: [] }];
    return play(surface, world, { setting: undefined, calls }, watching);
  });
  expect(faults.join("\n")).toMatch(/read: it writes/);
});

describe("a call without an answer is a fault", () => {
  /** A run of one input, whose first rounds have these faults. */
  const run = (...rounds: (() => Promise<string[]>)[]) =>
    fuzz({
      name: "planted",
      inputs: fc.constant(undefined),
      faults: () => rounds.shift()?.() ?? findPlanted(async () => "done"),
      show: String,
      rounds: 1,
    });
  const hang = () => findPlanted(() => Promise.reject(late()));
  const hangInSetUp = () => inRound(servers(), () => Promise.reject(late()));

  test("not where the machine did nothing for a while", async () => {
    await run(hang, hang);
    await run(hangInSetUp);
    await run(() => findPlanted(() => new Promise(() => {})));
  });

  test("each time", async () => {
    await expect(run(hang, hang, hang)).rejects.toThrow(/hang: no answer within 2000 ms/);
    await expect(run(hang, hangInSetUp, hang)).rejects.toThrow(/hang: no answer within 2000 ms/);
  });

  test("whose other faults are told, though they are not repeated", async () => {
    const leak = (world: CoreWorld) =>
      Promise.reject(Object.assign(late(), { token: world.of("the token") }));
    await expect(run(() => findPlanted(leak))).rejects.toThrow(/leak:(?!.*hang:)/s);
  });
});
