/*
 * A sign-in under koa-redis-session-sets' API, and requests that the same browser sends at the same time.
 * Redis carries out their commands in one order or another, and the browser gets the answers in one
 * order or another: in each of them it is signed in afterwards, and an attacker with its first cookies is
 * not.
 */
import { Redis } from "ioredis";
import type { KoaRedisSessionSetsOptions } from "session-sets/compat/koa-redis-session-sets";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type Answer,
  type Browser,
  type CompatApp,
  startCompatApp,
  type Work,
} from "../../support/http/apps/koa-compat.ts";
import { type InterceptedClient, intercepted } from "../../support/intercept.ts";
import { type MutationName, mutatedClient, mutations } from "../../support/proofs/mutations.ts";
import { type Choices, everyChoice, Turnstile } from "../../support/proofs/turnstile.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

/** Commands that go along with another one, or are sent once by each store. */
const AT_ONCE = ["INFO", "TIME"];
const REFERENCES = { user_id: {}, lang: { rotate: false } };

interface Gated {
  readonly app: CompatApp;
  readonly turnstile: Turnstile;
}

/** An app whose commands wait for one another, where its requests are sent with `together`. */
async function openGated(
  references: KoaRedisSessionSetsOptions["references"] = REFERENCES,
  mutation?: MutationName,
): Promise<Gated> {
  const turnstile = new Turnstile();
  const sent: InterceptedClient = mutation ? mutatedClient(client, mutations[mutation]) : client;
  const gated = intercepted(sent, async ({ name }, pass) => {
    if (!AT_ONCE.includes(name)) await turnstile.pass();
    return pass();
  });
  const options = { client: gated, prefix: freshPrefix(), ...(references && { references }) };
  const app = await startCompatApp(options, { keys: ["a secret"] });
  onTestFinished(() => app.close());
  // The server learns the scripts, and the store the server's time.
  await app.browser().visit(async ({ session }) => {
    await session.set({ cart: 1 });
    await session.set({ user_id: 0 });
    await session.delete();
  });
  return { app, turnstile };
}

/** Carries out requests of one browser side by side; it takes no cookie yet. */
function together(
  { turnstile }: Gated,
  browser: Browser,
  works: readonly Work[],
  choices: Choices,
): Promise<Answer[]> {
  const requests = works.map((work, i) => {
    const marked: Work = (ctx) => turnstile.as(i, () => work(ctx));
    return () => browser.copy().visit(marked);
  });
  return turnstile.drive(requests, choices);
}

const after =
  (first: Work, then: Work): Work =>
  async (ctx) => {
    await first(ctx);
    return then(ctx);
  };
const read: Work = ({ session }) => session.get();
const signIn: Work = ({ session }) => session.set({ user_id: 1 });
const write: Work = ({ session }) => session.set({ theme: "dark" });
const readAndSignIn = after(read, signIn);
const makeToken: Work = ({ session }) => session.createCSRFToken();

const SIGN_INS: Readonly<Record<string, Work>> = {
  "a sign-in": signIn,
  "one that reads first": readAndSignIn,
  "one that writes first": after(({ session }) => session.set({ seen: true }), signIn),
  "one that writes back what it has read": async ({ session }) =>
    session.set({ ...(await session.get()), user_id: 1 }),
  "one that checks a token of its form": after(async ({ session }) => {
    await session.verifyCSRFToken(await session.createCSRFToken());
  }, signIn),
  "one that ends the old session": after(({ session }) => session.delete(), signIn),
};

const BESIDE: Readonly<Record<string, readonly Work[]>> = {
  "one that reads": [read],
  "one that reads a field": [({ session }) => session.get(["theme"])],
  "one that writes": [write],
  "one that reads and writes": [after(read, write)],
  "one that writes back what it has read": [
    async ({ session }) => session.set({ ...(await session.get()), theme: "dark" }),
  ],
  "one that writes a reference of no user": [({ session }) => session.set({ lang: "eo" })],
  "one that removes a field": [({ session }) => session.unset(["cart"])],
  "one that touches": [({ session }) => session.touch()],
  "one that makes a token for a form": [makeToken],
  "a second click": [signIn],
  "a second click after a look": [readAndSignIn],
  "two that write": [write, ({ session }) => session.set({ theme: "light" })],
  "a second click and one that touches": [signIn, ({ session }) => session.touch()],
  "one that writes and one that reads and writes": [write, after(read, write)],
};
const CLICKS: readonly Work[] = [signIn, readAndSignIn];
const SINGLES = Object.entries(BESIDE).filter(([, { length }]) => length === 1);
const TRIPLES = Object.entries(BESIDE).filter(([, { length }]) => length > 1);

/** The browser's earlier requests. */
const STARTS: Readonly<Record<string, (gated: Gated, browser: Browser) => Promise<unknown>>> = {
  "a session of nobody": (_, browser) =>
    browser.visit(({ session }) => session.set({ cart: "tea" })),
  "no cookie": async () => {},
  "a look around": (_, browser) => browser.visit(read),
  "a form's token": (_, browser) => browser.visit(makeToken),
  "the cookie of a visitor that has ended": async ({ app }, browser) => {
    await browser.visit(write);
    await endAll(app, browser);
  },
  "the cookie of a user that has ended": async ({ app }, browser) => {
    await browser.visit(({ session }) => session.set({ user_id: 2 }));
    await endAll(app, browser);
  },
  "those of a user that has ended, and of a visitor": async ({ app }, browser) => {
    await browser.visit(({ session }) => session.set({ user_id: 2 }));
    await endAll(app, browser);
    await browser.visit(write);
  },
  "a user's session that was signed out by unset": async (_, browser) => {
    await browser.visit(({ session }) => session.set({ user_id: 2, cart: "tea" }));
    await browser.visit(({ session }) => session.unset(["user_id"]));
  },
};

async function endAll({ middleware }: CompatApp, browser: Browser): Promise<void> {
  const { value } = await browser.visit(async ({ session }) => (await session.get()).id);
  await middleware.store.delete(value);
}

/** Answers that set or clear a cookie: the order of the others is all one. */
function telling(answers: readonly Answer[]): Answer[] {
  return answers.filter(({ cookies }) => cookies.length > 0);
}

/** The browser is the user's, and an attacker with the cookies that it had before is not. */
async function expectSignedIn(browser: Browser, attacker: Browser, user = 1): Promise<void> {
  expect((await browser.visit(read)).value).toMatchObject({ user_id: user });
  const planted = attacker.copy();
  expect((await planted.visit(read)).value).not.toHaveProperty("user_id", user);
  await planted.visit(({ session }) => session.set({ planted: true }));
  expect((await browser.visit(read)).value).not.toHaveProperty("planted");
}

/** Every order of a sign-in and others beside it. */
async function inEveryOrder(
  gated: Gated,
  start: string,
  [first, ...others]: readonly [Work, ...Work[]],
): Promise<number> {
  return everyChoice(async (choices) => {
    const browser = gated.app.browser();
    await STARTS[start]?.(gated, browser);
    const attacker = browser.copy();
    const answers = await together(gated, browser, [first, ...others], choices);
    const clicks = answers.filter((_, i) => i === 0 || CLICKS.includes(others[i - 1] as Work));
    expect(clicks.map(({ status }) => status)).toContain(200);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    for (const { cookies } of choices.order(telling(answers))) browser.jar.take(cookies);
    await expectSignedIn(browser, attacker);
  });
}

describe.each(Object.keys(STARTS))("with %s", (start) => {
  test.each([...SINGLES, ...TRIPLES.slice(0, start === "no cookie" ? 2 : 0)])(
    "a sign-in holds beside %s",
    async (_, others) => {
      await inEveryOrder(await openGated(), start, [signIn, ...others]);
    },
  );
});

test.each(TRIPLES)("a sign-in holds beside %s", async (_, others) => {
  const runs = await inEveryOrder(await openGated(), "a session of nobody", [signIn, ...others]);
  expect(runs).toBeGreaterThan(5);
});

describe.each(Object.entries(SIGN_INS))("%s", (_, first) => {
  test.each(SINGLES)("holds beside %s", async (_, others) => {
    const gated = await openGated();
    const runs = await inEveryOrder(gated, "a session of nobody", [first, ...others]);
    expect(runs).toBeGreaterThan(1);
  });
});

describe("a write beside a sign-in", () => {
  const writes = Object.entries(BESIDE).filter(([name]) => name.includes("writes"));

  test.each(writes)("is in the user's session, or refused: %s", async (_, others) => {
    const gated = await openGated();
    const seen = new Set<number | undefined>();
    await everyChoice(async (choices) => {
      const browser = gated.app.browser();
      await browser.visit(({ session }) => session.set({ cart: "tea" }));
      const answers = await together(gated, browser, [signIn, ...others], choices);
      for (const { cookies } of answers) browser.jar.take(cookies);
      const done = answers.slice(1).filter(({ status }) => status === 200).length;
      const { value } = await browser.visit(read);
      const { cart, user_id, ...written } = value;
      expect([cart, user_id]).toEqual(["tea", 1]);
      expect(Object.keys(written)).toHaveLength(Math.min(done, 1));
      seen.add(done);
    });
    expect([...seen]).toEqual(expect.arrayContaining([0, others.length]));
  });
});

describe("a later change", () => {
  const others = SINGLES.filter(([, [work]]) => !CLICKS.includes(work as Work));

  test.each(others)("of user holds where it rotates, beside %s", async (_, beside) => {
    const gated = await openGated({ user_id: { rotate: true }, lang: { rotate: false } });
    await everyChoice(async (choices) => {
      const browser = gated.app.browser();
      await browser.visit(({ session }) => session.set({ user_id: 2 }));
      const attacker = browser.copy();
      const answers = await together(gated, browser, [signIn, ...beside], choices);
      expect(answers[0]?.status).toBe(200);
      for (const { cookies } of choices.order(telling(answers))) browser.jar.take(cookies);
      await expectSignedIn(browser, attacker);
    });
  });

  test.each(others)("signs nobody out where it does not, beside %s", async (_, beside) => {
    const gated = await openGated();
    await everyChoice(async (choices) => {
      const browser = gated.app.browser();
      await browser.visit(({ session }) => session.set({ user_id: 2 }));
      const answers = await together(gated, browser, [signIn, ...beside], choices);
      for (const { status, cookies } of answers) expect([status, cookies]).toEqual([200, []]);
      expect((await browser.visit(read)).value.user_id).toBeOneOf([1, 2]); // a write back of 2
    });
  });
});

describe("an answer that is under way while the user signs out and in again", () => {
  test.each(Object.entries(BESIDE))("changes nothing: %s", async (_, works) => {
    const { app } = await openGated();
    const browser = app.browser();
    await browser.visit(signIn);
    const slow = browser.copy();
    const answers = [];
    for (const work of works) answers.push(await slow.copy().visit(work));
    await browser.visit(({ session }) => session.delete());
    // One that is carried out now, by its old cookie, makes none of its own either.
    for (const work of works) answers.push(await slow.copy().visit(work));
    const back = await browser.visit(signIn);
    expect(back.status).toBe(200);
    const others = answers.filter(
      (answer) => !answer.cookies.some((one) => one.includes("session-id=")),
    );
    for (const { cookies } of others) browser.jar.take(cookies);
    expect((await browser.visit(read)).value).toEqual({ user_id: 1 });
    const clicks = works.filter((work) => CLICKS.includes(work));
    expect(others.length).toBe(answers.length - clicks.length);
  });
});

describe("several references that say who the user is", () => {
  test("a parallel first value of another one takes no place of a sign-in", async () => {
    const gated = await openGated({ user_id: {}, team: {} });
    const signedIn = new Set<boolean>();
    await everyChoice(async (choices) => {
      expect(await isSignedInBesideTeam(gated, choices, signedIn)).toBe(true);
    });
    expect([...signedIn].sort()).toEqual([false, true]);
  });
});

/** Whether a sign-in that was answered with 200 holds beside the first value of a team. */
async function isSignedInBesideTeam(
  gated: Gated,
  choices: Choices,
  signedIn: Set<boolean>,
): Promise<boolean> {
  const browser = gated.app.browser();
  await browser.visit(({ session }) => session.set({ cart: "tea" }));
  const works: Work[] = [signIn, ({ session }) => session.set({ team: 7 })];
  const answers = await together(gated, browser, works, choices);
  for (const { cookies } of choices.order(telling(answers))) browser.jar.take(cookies);
  signedIn.add(answers[0]?.status === 200);
  if (answers[0]?.status !== 200) return true; // it is refused, and the user signs in again
  return (await browser.visit(read)).value.user_id === 1;
}

describe("it bites", () => {
  const failing = async (work: Promise<unknown>) =>
    work.then(
      () => "",
      (error: Error) => String((error.cause as Error).message),
    );

  test.each(["first value that keeps its id", "first value that leaves an alias"] as const)(
    "%s",
    async (mutation) => {
      const gated = await openGated(REFERENCES, mutation);
      const works = [signIn, read] as const;
      expect(await failing(inEveryOrder(gated, "a session of nobody", works))).toContain("user_id");
    },
  );

  test("first value that leaves nothing", async () => {
    const gated = await openGated(REFERENCES, "first value that leaves nothing");
    const browser = gated.app.browser();
    await browser.visit(write);
    const beside = browser.copy();
    await browser.visit(signIn);
    expect((await beside.visit(write)).status).toBe(200); // and what it has written is lost
  });

  test("tombstone that lets in who names less", async () => {
    const gated = await openGated(
      { user_id: {}, team: {} },
      "tombstone that lets in who names less",
    );
    const outcomes: boolean[] = [];
    await everyChoice(async (choices) => {
      outcomes.push(await isSignedInBesideTeam(gated, choices, new Set()));
    });
    expect(outcomes).toContain(false);
  });

  test("a request that sends the token of before, under the name of a sign-in's", async () => {
    const gated = await openGated();
    const resend: Work = async (ctx) => {
      await ctx.session.touch();
      ctx.cookies.set("session-id", ctx.cookies.get("session-id-visitor") ?? "");
    };
    const works = [signIn, resend] as const;
    expect(await failing(inEveryOrder(gated, "a session of nobody", works))).toContain("user_id");
  });
});
