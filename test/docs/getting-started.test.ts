/* docs/getting-started.md, step by step: what it says to type is typed, and what it says one sees is seen. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { Browser, type Shown } from "../support/docs/browser.ts";
import { codeBlocks } from "../support/docs/docs.ts";
import { findSection, listBlocks, listHeadings } from "../support/docs/pages.ts";
import { compilePackage } from "../support/programs/build-program.ts";
import { addPackages } from "../support/programs/consumer.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { read } from "../support/sources.ts";

const run = promisify(execFile);

const PAGE = "docs/getting-started.md";
const TEXT = read(PAGE);
const BLOCKS = codeBlocks(PAGE, TEXT);
const STEPS = listHeadings(TEXT).filter((heading) => heading.startsWith("Step "));
const PASSWORD = "correct horse battery staple";

/** The folder that the reader makes. It is in none of the project's, so it has only its own packages. */
let folder = "";

/** The text of a step. A page that is shown must be one that the step tells of. */
function openStep(number: number) {
  const heading = STEPS[number - 1] ?? "";
  const text = findSection(TEXT, heading).replaceAll(/\s+/g, " ");
  return {
    /** What the page promises is what the app shows. */
    see(shown: Shown, promise: string): void {
      expect(text).toContain(promise);
      expect(shown.text).toContain(promise);
    },
    text,
  };
}

/** Writes the files of the steps up to this one, as a reader has them then. */
function type(number: number): void {
  const end = TEXT.split("\n").indexOf(`## ${STEPS[number]}`);
  const written = BLOCKS.filter(({ line }) => end === -1 || line <= end);
  for (const { name = "", source } of written) writeFileSync(join(folder, name), source);
}

/** Makes the hashes of passwords, which are to be costly, cheap: for the tests that look at something else. */
function hashCheaply(): void {
  const file = join(folder, "users.js");
  const written = readFileSync(file, "utf8");
  const cheap = written.replace("N: 2 ** 14, r: 8, p: 5", "N: 2, r: 1, p: 1");
  expect(cheap).not.toBe(written);
  writeFileSync(file, cheap);
}

/** The environment of a program of the reader's, which has nothing of that of the tests. */
function createEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, PORT: "0", REDIS_URL: redisUrl(), ...env };
}

/** Runs `node app.js` until the test ends. */
async function start(env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["app.js"], { cwd: folder, env: createEnvironment(env) });
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const app = { address: "", said: "", stop };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      app.said += chunk;
    });
  }
  async function stop(signal: NodeJS.Signals): Promise<unknown> {
    child.kill(signal);
    const [code] = await ended;
    return code;
  }
  await expect.poll(() => app.said.includes("port:") || child.exitCode !== null).toBe(true);
  expect(app.said).toMatch(/Listening on .*port: \d+/s);
  app.address = `http://localhost:${/port: (\d+)/.exec(app.said)?.[1]}`;
  return app;
}

const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async function signIn(address: string, name = "ada", password = PASSWORD, headers = {}) {
  const browser = new Browser(address, { "user-agent": USER_AGENT, ...headers });
  const shown = await browser.post("/sign-in", { name, password });
  return { browser, shown };
}

/** Signs in after a `clear`, which refuses sign-ins for two seconds. */
async function signInAgain(browser: Browser, password: string): Promise<void> {
  const open = async () => (await browser.post("/sign-in", { name: "ada", password })).text;
  await expect.poll(open, { interval: 500 }).toContain("Hello, ada");
}

beforeAll(async () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), "session-sets-started-")));
  folder = join(parent, "devices");
  // The commands of the first step, but that the packages are this project's and not a registry's.
  const [commands = ""] = listBlocks(findSection(TEXT, STEPS[0] ?? ""), "sh");
  const others = commands.replace(/^npm install .*\n/m, "").trim();
  await run("sh", ["-ec", others], { cwd: parent, env: createEnvironment({}) });
  const installs = TEXT.matchAll(/(?<=npm install ).+?(?=`|$)/gm);
  const packages = Array.from(installs, ([names]) => names.split(" ")).flat();
  expect(packages).toContain("session-sets");
  addPackages(
    folder,
    packages.filter((name) => name !== "session-sets"),
  );
  const own = join(folder, "node_modules/session-sets");
  mkdirSync(own, { recursive: true });
  await compilePackage(own, ["index", "redis", "express", "node"]);
  addPackages(own, Object.keys(JSON.parse(read("package.json")).dependencies));
});

// Each test has the users' first sessions.
beforeEach(async () => {
  const client = new Redis(redisUrl());
  await client.flushall();
  await client.quit();
});

afterAll(() => {
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

test("every file of the page belongs to the app, and every step is one of these", () => {
  expect(new Set(BLOCKS.map(({ name }) => name))).toEqual(
    new Set(["sessions.js", "users.js", "pages.js", "app.js", "sign-out-user.js"]),
  );
  expect(STEPS.map((step) => Number(/\d+/.exec(step)?.[0]))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ]);
  expect(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).type).toBe("module");
});

test("step 4: sign in, be signed in after a restart, and sign out", async () => {
  const { see, text } = openStep(4);
  type(4);
  const first = await start();
  const visitor = new Browser(first.address);
  see(await visitor.get("/"), "Sign in");
  expect(visitor.jar.entries()).toEqual([]); // reading makes nothing
  const wrong = await visitor.post("/sign-in", { name: "ada", password: "a guess" });
  see(wrong, "The name or the password is wrong.");
  expect(text).toContain(PASSWORD);
  const { browser, shown } = await signIn(first.address);
  see(shown, "Hello, ada");
  expect((await visitor.post("/sign-in", { name: "nobody", password: PASSWORD })).status).toBe(422);

  await first.stop("SIGKILL");
  const second = await start();
  const again = new Browser(second.address);
  for (const [name, value] of browser.jar.entries()) again.jar.set(name, value);
  see(await again.get("/"), "Hello, ada");
  see(await again.post("/sign-out"), "Sign in");
  see(await again.get("/"), "Sign in");
});

test("step 4: a form of another site is refused, and a sign-in that the user's endings overtake", async () => {
  const { text } = openStep(4);
  type(4);
  hashCheaply();
  const { address } = await start();
  const { browser } = await signIn(address);
  const forged = await browser.post("/sign-out", {}, { "sec-fetch-site": "cross-site" });
  expect(text).toContain(`posts to \`/sign-out\` gets ${forged.status}`);
  expect((await browser.get("/")).text).toContain("Hello, ada");

  const client = new Redis(redisUrl());
  onTestFinished(() => void client.disconnect());
  const sessions = createSessions({
    data: {} as { user_id?: number },
    store: redisStore(client, { prefix: "devices" }),
    references: ["user_id"],
  });
  const refused = "Please sign in once more.";
  expect(text).toContain(refused);
  const overtake = async () => {
    await sessions.by("user_id", 1).clear();
    return (await signIn(address)).shown.text;
  };
  await expect.poll(overtake).toContain(refused);
});

test("step 5: see the devices, and end one of them", async () => {
  const { see } = openStep(5);
  type(5);
  hashCheaply();
  const { address } = await start();
  const { browser: desk } = await signIn(address);
  const { browser: phone } = await signIn(address);
  const { browser: grace } = await signIn(address, "grace");
  const shown = await desk.get("/devices");
  see(shown, "Your devices");
  see(shown, "(this one)");
  expect(shown.text.match(/Firefox on Linux/g)).toHaveLength(2);
  const [, lineage = ""] = /name="lineage" value="([^"]+)"/.exec(shown.text) ?? [];

  await grace.post("/devices/end", { lineage }); // another user's
  expect((await phone.get("/")).text).toContain("Hello, ada");
  see(await desk.post("/devices/end", { lineage }), "Your devices");
  see(await phone.get("/"), "Sign in");
  expect((await grace.get("/")).text).toContain("Hello, grace");
});

test("step 6: sign out the others, and then everywhere", async () => {
  const { see } = openStep(6);
  type(6);
  hashCheaply();
  const { address } = await start();
  const { browser: desk } = await signIn(address);
  const { browser: phone } = await signIn(address);
  const left = await desk.post("/devices/end-others");
  see(left, "(this one)");
  expect(left.text).not.toContain("Sign it out");
  see(await phone.get("/"), "Sign in");
  await signInAgain(phone, PASSWORD);
  await desk.post("/devices/end-all");
  for (const browser of [desk, phone]) see(await browser.get("/"), "Sign in");
});

test("step 7: change the password", async () => {
  const { see } = openStep(7);
  type(7);
  hashCheaply();
  const { address } = await start();
  const { browser: desk } = await signIn(address);
  const { browser: phone } = await signIn(address);
  const thief = desk.copy();
  const wrong = await desk.post("/password", { current: "a guess", next: "another" });
  see(wrong, "The current password is wrong.");
  expect((await phone.get("/")).text).toContain("Hello, ada");
  const changed = await desk.post("/password", { current: PASSWORD, next: "another" });
  see(changed, "Other sessions that were ended: 1.");
  expect((await desk.get("/")).text).toContain("Hello, ada");
  for (const browser of [phone, thief]) see(await browser.get("/"), "Sign in");
  expect((await signIn(address)).shown.status).toBe(422);
  await signInAgain(phone, "another");
});

test("step 8: end a user's sessions by a program", async () => {
  const { text } = openStep(8);
  type(8);
  hashCheaply();
  const { address } = await start();
  const { browser } = await signIn(address);
  const [, command = ""] = /`node (sign-out-user\.js 1)`/.exec(text) ?? [];
  const options = { cwd: folder, env: createEnvironment({}) };
  const { stdout } = await run(process.execPath, command.split(" "), options);
  expect(text).toContain(`\`${stdout.trim()}\``);
  expect((await browser.get("/")).text).toContain("Sign in");

  const program = readFileSync(join(folder, "sign-out-user.js"), "utf8");
  writeFileSync(join(folder, "wrong.js"), program.replace(/Number\((.*)\)/, "$1"));
  const failure = await run(process.execPath, ["wrong.js", "1"], options).catch((error) => error);
  expect(failure.stderr).toContain("ERR_SESSION_VALUE");
});

/** Opens a WebSocket. The code that it is closed with, or the status of the answer. */
async function openSocket(address: string, browser: Browser, headers = {}) {
  const cookie = browser.jar.header ?? "";
  const socket = new WebSocket(address.replace("http", "ws"), { headers: { cookie, ...headers } });
  onTestFinished(() => socket.terminate());
  const ended = new Promise<number | undefined>((resolve) => {
    socket.on("close", (code) => resolve(code));
    socket.on("unexpected-response", (_, { statusCode }) => resolve(statusCode));
  });
  const opened = once(socket, "open").then(
    () => true,
    () => false, // it was ended before
  );
  return { ended, opened: await Promise.race([opened, ended.then(() => false)]) };
}

test("step 9: a page that is open hears that its session has ended", async () => {
  const { text } = openStep(9);
  type(9);
  hashCheaply();
  const { address } = await start();
  const { browser, shown } = await signIn(address);
  const [, code = ""] = /closes with (\d+)/.exec(text) ?? [];
  expect(shown.text).toContain(`code === ${code} && location.reload()`);
  const { ended, opened } = await openSocket(address, browser);
  expect(opened).toBe(true);
  const options = { cwd: folder, env: createEnvironment({}) };
  await run(process.execPath, ["sign-out-user.js", "1"], options);
  expect(await ended).toBe(Number(code));

  const { browser: another } = await signIn(address, "grace");
  const foreign = await openSocket(address, another, { origin: "https://evil.example" });
  expect([foreign.opened, await foreign.ended]).toEqual([false, 403]);
  const visitor = await openSocket(address, new Browser(address));
  expect([visitor.opened, await visitor.ended]).toEqual([false, 409]);
});

test("step 10: a secure cookie behind a proxy, a page for errors, and a clean end", async () => {
  const { see, text } = openStep(10);
  type(10);
  hashCheaply();
  const app = await start({ NODE_ENV: "production" });
  const proxy = { "x-forwarded-proto": "https", "x-forwarded-host": "devices.example" };
  const origin = { origin: "https://devices.example" };
  const { browser, shown } = await signIn(app.address, "ada", PASSWORD, { ...proxy, ...origin });
  expect(shown.text).toContain("Hello, ada");
  const [cookie] = shown.cookies;
  expect(text).toContain(`a cookie called \`${cookie?.name}\``);
  expect(cookie?.attributes).toMatchObject({ secure: "", httponly: "", samesite: "Lax" });
  expect((await browser.get("/devices")).text).toContain("(this one)");

  const { ended, opened } = await openSocket(app.address, browser, { ...proxy, ...origin });
  expect(opened).toBe(true);

  const plain = await signIn(app.address);
  expect(text).toContain(`signing in fails with \`ERR_COOKIE\`** (${plain.shown.status})`);
  expect(app.said).toContain("ERR_COOKIE");
  see(plain.shown, "Please try again in a moment.");
  expect(await app.stop("SIGTERM")).toBe(0);
  expect(await ended).toBe(1001);
  expect(await (await start({ NODE_ENV: "production" })).stop("SIGINT")).toBe(0);
});

test("steps 4 and 10: without Redis a page says so, and nobody is signed out", async () => {
  const { see } = openStep(10);
  type(10);
  hashCheaply();
  const { address } = await start({ REDIS_URL: "redis://127.0.0.1:1" });
  const browser = new Browser(address);
  browser.jar.set("session", `AA${"x".repeat(32)}`);
  for (const shown of [await browser.get("/"), (await signIn(address)).shown]) {
    see(shown, "Please try again in a moment.");
    expect(openStep(4).text).toContain(`The pages answer ${shown.status}`);
  }
  expect(browser.jar.get("session")).toBeDefined();
});
