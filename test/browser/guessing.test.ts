/* Passwords in the demo: guessing is slowed down, and a change asks for the old one. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMemory } from "../../demo/store/memory.ts";
import { IPHONE } from "../support/http/user-agents.ts";
import {
  changePassword,
  type Demo,
  heading,
  headingAtNextRequest,
  message,
  openDevice,
  PASSWORD,
  sessionCookie,
  signIn,
  startDemo,
} from "./devices.ts";

const MINUTE = 60_000;
const TOO_MANY = "Too many attempts. Try again in 15 minutes.";
const ELSEWHERE = { extraHTTPHeaders: { "x-forwarded-for": "198.51.100.7" } };

let demo: Demo;
let now: number;

beforeEach(async () => {
  now = 0;
  demo = await startDemo({ store: openMemory(), now: () => now });
  demo.app.proxy = true; // so that devices have addresses of their own
});

afterEach(async () => {
  await demo.close();
});

test("after five guesses from an address not even the password is right there, for a while", async () => {
  const thief = await openDevice();
  for (let i = 0; i < 5; i++) {
    await signIn(thief, `guess ${i}`);
    expect(await message(thief)).toBe("The name or the password is wrong.");
  }
  await signIn(thief);
  expect(await message(thief)).toBe(TOO_MANY);
  expect(await sessionCookie(thief)).toBeUndefined();

  const ada = await openDevice(ELSEWHERE);
  await signIn(ada);
  expect(await heading(ada)).toBe("Your devices");

  now += 15 * MINUTE;
  await signIn(thief);
  expect(await heading(thief)).toBe("Your devices");
});

test("guesses of one moment are counted, too", async () => {
  const thief = await openDevice();
  await thief.goto("/sign-in");
  const csrf = await thief.locator("input[name=csrf]").first().inputValue();
  const guesses = Array.from({ length: 8 }, (_, i) =>
    thief.context().request.post("/sign-in", { form: { csrf, name: "ada", password: `${i}` } }),
  );
  const statuses = (await Promise.all(guesses)).map((answer) => answer.status()).sort();
  expect(statuses).toEqual([422, 422, 422, 422, 422, 429, 429, 429]);
});

test("a change of password takes the old one, which cannot be guessed either", async () => {
  const phone = await openDevice({ userAgent: IPHONE, ...ELSEWHERE });
  await signIn(phone);
  const desk = await openDevice();
  await signIn(desk);
  for (let i = 0; i < 5; i++) {
    await changePassword(desk, `guess ${i}`, "battery staple");
    expect(await message(desk)).toBe("The current password is wrong.");
  }
  await changePassword(desk, PASSWORD, "battery staple");
  expect(await message(desk)).toBe(TOO_MANY);
  expect(await headingAtNextRequest(phone)).toBe("Your devices");

  now += 15 * MINUTE;
  await changePassword(desk, PASSWORD, "battery staple");
  expect(await message(desk)).toContain("Your password is changed");
  expect(await headingAtNextRequest(phone)).toBe("Sign in");
});

test("who is not signed in is sent to the form as a page, and told so as a program", async () => {
  const visitor = await openDevice();
  const { request } = visitor.context();
  for (const path of ["/", "/password"]) {
    await visitor.goto(path);
    expect(new URL(visitor.url()).pathname).toBe("/sign-in");
    const answer = await request.get(path, { headers: { accept: "application/json" } });
    expect(answer.status()).toBe(401);
    expect(answer.headers()["www-authenticate"]).toBe("Bearer");
  }
});
