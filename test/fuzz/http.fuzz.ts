/* Requests of clients that send anything, over sockets, under every adapter and entry. */
import { SessionError } from "session-sets";
import { test } from "vitest";
import { fc } from "../support/properties.ts";
import { findAnswerFaults, setCookiesIn } from "./requests/answers.ts";
import {
  type AdapterSetting,
  type App,
  adapterApps,
  expressSessionApp,
  fastifySessionApp,
  koaCompatApp,
  type Seen,
} from "./requests/apps.ts";
import { arbitraryRequests, OWN_COOKIE, type Sent, showSent, toTexts } from "./requests/sent.ts";
import { type Header, type Response, send } from "./requests/wire.ts";
import { findErrorFaults, findFaults } from "./runs/checks.ts";
import { fuzz } from "./runs/runner.ts";
import { inRound, useServers } from "./runs/servers.ts";
import type { Watch } from "./runs/watch.ts";
import { PLACES } from "./runs/worlds.ts";
import { catchOutcome, type World } from "./surfaces/surfaces.ts";

const servers = useServers();

const places = fc.constantFrom(...PLACES);

const settings: fc.Arbitrary<AdapterSetting> = fc.record({
  place: places,
  options: fc.record(
    {
      carriers: fc.constantFrom(
        ["bearer", "cookie"] as const,
        ["bearer"] as const,
        ["cookie", { header: "X-Session-Token" }] as const,
      ),
      keys: fc.constant(["a key that signs", "another key that signs"]),
      trustProxy: fc.boolean(),
      guard: fc.constant({ origins: ["https://friend.example"] }),
      cookie: fc.constantFrom<object>(
        { secure: true },
        { prefix: false, persistent: false },
        { domain: "shop.example", sameSite: "none", secure: true },
        { formerNames: ["sid"] },
      ),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<AdapterSetting["options"]>,
});

/** How an application is set up, and what is sent to it, one request after the other. */
interface Talk {
  readonly setting: unknown;
  readonly requests: readonly Sent[];
}

/** The statuses that a request may lead to, whatever it brings. */
const MOST = { commands: 40, byScripts: 2000 };
const HONEST: readonly Header[] = [
  ["Host", "shop.example"],
  ["X-Forwarded-Proto", "https"],
];

async function findTalkFaults(
  app: App,
  { setting, requests }: Talk,
  watching: Watch,
): Promise<string[]> {
  const world = await app.open(servers(), setting);
  const record: Seen = { thrown: [], reported: [] };
  const server = await app.start(world, setting, record);
  const headers: readonly Header[] = [...HONEST, ["X-Handler", app.firstAct]];
  const answer = await send(server.port, { method: "POST", headers, body: "" }, "latin1");
  const [cookie] = setCookiesIn(answer);
  if (cookie) world.secrets.add(cookie.value);
  const of = (name: string) =>
    name === OWN_COOKIE ? `${cookie?.name}=${cookie?.value}` : world.of(name);
  const faults: string[] = [];
  for (const sent of requests) {
    const running = { app, world, record, port: server.port };
    const found = await findRequestFaults(running, sent, of, watching);
    faults.push(...found.map((fault) => `${sent.act}: ${fault}`));
  }
  await server.close();
  await world.close();
  return faults;
}

interface Running {
  readonly app: App;
  readonly world: World;
  readonly record: Seen;
  readonly port: number;
}

async function findRequestFaults(
  { app, world, record, port }: Running,
  sent: Sent,
  of: (name: string) => unknown,
  watching: Watch,
): Promise<string[]> {
  await Promise.all([world.traffic?.since(), watching.since()]);
  record.thrown.length = record.reported.length = 0;
  const request = { method: sent.method, ...toTexts(sent, of) };
  const outcome = await catchOutcome(() => send(port, request, sent.encoding), "promise", world);
  const outlets = await watching.since();
  const commands = (await world.traffic?.since()) ?? [];
  const { secrets, prefixes } = world;
  const { reads = false } = app.acts[sent.act] ?? {};
  const errors = [...record.thrown, ...record.reported.filter((one) => !isOfFramework(one))];
  return [
    ...findFaults(outcome, outlets, commands, {
      gives: "promise",
      secrets,
      prefixes,
      reads,
      most: MOST,
      logs: true,
    }),
    ...errors.flatMap((error) => findErrorFaults(error, [...secrets])),
    ...(outcome.ended === "given"
      ? findAnswerFaults(outcome.value as Response, {
          secrets,
          cookies: app.cookies,
          sent: JSON.stringify(request),
          hasError: record.reported.length > 0,
        })
      : []),
  ];
}

/** Whether an error is what a framework refuses a request with. */
function isOfFramework(error: unknown): boolean {
  const { status, statusCode = status } = Object(error) as Partial<Record<string, unknown>>;
  return !(error instanceof SessionError) && Number(statusCode) >= 400 && Number(statusCode) < 500;
}

function testApp<Where extends World, Setting>(
  app: App<Where, Setting>,
  settings: fc.Arbitrary<Setting>,
): void {
  const { name, acts, cookies } = app;
  const requests = arbitraryRequests({ acts: Object.keys(acts), cookies });
  test(name, () =>
    fuzz<Talk>({
      name,
      inputs: fc.record({
        setting: settings,
        requests: fc.array(requests, { minLength: 1, maxLength: 4 }),
      }),
      // An application is set up with settings of its own.
      faults: (talk) =>
        inRound(servers(), (watching) => findTalkFaults(app as unknown as App, talk, watching)),
      show: ({ setting, requests }) =>
        [JSON.stringify(setting), ...requests.map(showSent)].join("; "),
      rounds: 25,
    }),
  );
}

for (const app of adapterApps) testApp(app, settings);
testApp(expressSessionApp, fc.record({ place: places }));
testApp(fastifySessionApp, fc.record({ place: places }));
testApp(koaCompatApp, fc.record({ signed: fc.boolean() }));
