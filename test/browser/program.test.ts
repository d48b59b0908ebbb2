/* The demo as `npm run demo` starts it: the built program, over HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { CookieJar } from "../support/http/cookie-jar.ts";
import { type RedisServer, startRedis } from "../support/redis/server.ts";

const MAIN = fileURLToPath(new URL("../../demo/dist/main.js", import.meta.url));

interface Program {
  readonly child: ChildProcess;
  /** All that it has printed, and the complaints among it. */
  readonly output: { all: string; errors: string };
  /** Waits until it has printed something like that. */
  prints(pattern: RegExp): Promise<RegExpMatchArray>;
}

const programs: ChildProcess[] = [];
afterEach(async () => {
  for (const child of programs.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

function startProgram(env: Record<string, string> = {}): Program {
  const { REDIS_URL: _, HOST: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN], { env: { ...inherited, PORT: "0", ...env } });
  programs.push(child);
  const output = { all: "", errors: "" };
  child.stdout.on("data", (chunk) => {
    output.all += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.all += chunk;
    output.errors += chunk;
  });
  return {
    child,
    output,
    prints: (pattern) =>
      vi.waitFor(
        () => {
          const match = output.all.match(pattern);
          expect(match, output.all).not.toBeNull();
          return match as RegExpMatchArray;
        },
        { timeout: 60_000 },
      ),
  };
}

/** A user of the program who knows only what it has printed. */
class Visitor {
  readonly #jar = new CookieJar();
  readonly #origin: string;
  readonly #credentials: Record<string, string>;

  private constructor(origin: string, credentials: Record<string, string>) {
    this.#origin = origin;
    this.#credentials = credentials;
  }

  static async of({ prints }: Program): Promise<Visitor> {
    const [, origin = ""] = await prints(/The demo is at (http:\S+)/);
    const [, name = "", password = ""] = await prints(/name +(.+)\n *password +(.+)\n/);
    return new Visitor(origin, { name, password });
  }

  /** Opens a page, or sends a form to it. */
  async ask(path: string, form?: Record<string, string>) {
    const { header } = this.#jar;
    const response = await fetch(`${this.#origin}${path}`, {
      redirect: "manual",
      headers: { accept: "text/html", ...(header === undefined ? {} : { cookie: header }) },
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
    this.#jar.take(response.headers.getSetCookie());
    const text = await response.text();
    const heading = /<h1>(.*)<\/h1>/.exec(text)?.[1];
    return { status: response.status, headers: response.headers, text, heading };
  }

  /** Listens as an open page does. */
  async listen(): Promise<{ closed: Promise<void> }> {
    const { header = "" } = this.#jar;
    const response = await fetch(`${this.#origin}/events`, { headers: { cookie: header } });
    expect(response.status).toBe(200);
    const closed = response.text().then(
      () => {},
      () => {},
    );
    return { closed };
  }

  /** Signs in with the form of the page, and opens the page that this leads to. */
  async signIn() {
    const { status, text } = await this.ask("/sign-in");
    expect(status).toBe(200);
    const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(text) ?? [];
    const signedIn = await this.ask("/sign-in", { csrf, ...this.#credentials });
    expect(signedIn.status).toBe(303);
    return this.ask(signedIn.headers.get("location") ?? "");
  }
}

async function startServer(): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  return server;
}

test("in memory, it says where it is and who may sign in, which works, and ends when told", async () => {
  const program = startProgram();
  const visitor = await Visitor.of(program);
  expect((await visitor.ask("/")).headers.get("location")).toBe("/sign-in");
  const { status, heading, text } = await visitor.signIn();
  expect([status, heading]).toEqual([200, "Your devices"]);
  expect(text).toContain("<footer><p>Sessions are kept in <strong>memory</strong></p></footer>");
  const exit = once(program.child, "exit");
  program.child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  expect(program.output.errors).toBe("");
});

test("it ends when told, although a page is open and listens", async () => {
  const program = startProgram();
  const visitor = await Visitor.of(program);
  await visitor.signIn();
  const events = await visitor.listen();
  const exit = once(program.child, "exit");
  program.child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  await events.closed;
  expect(program.output.errors).toBe("");
});

test("in Redis, it keeps its sessions there, also when it is started again", async () => {
  const server = await startServer();
  const program = startProgram({ REDIS_URL: server.url });
  const visitor = await Visitor.of(program);
  const { heading, text } = await visitor.signIn();
  expect(heading).toBe("Your devices");
  expect(text).toContain("Sessions are kept in <strong>Redis</strong>");
  const client = new Redis(server.url);
  expect(await client.keys("{demo:0}:s:*")).toHaveLength(1);
  expect(await client.zcard("{demo:0}:r:user_id:demo-user")).toBe(1);
  client.disconnect();
  const exit = once(program.child, "exit");
  program.child.kill("SIGINT");
  expect(await exit).toEqual([0, null]);

  const again = await Visitor.of(startProgram({ REDIS_URL: server.url }));
  expect((await again.signIn()).text).toContain("2 devices are signed in");
});

test("while Redis is down it says so in one sentence and answers 503, and goes on when it is back", async () => {
  const server = await startServer();
  const program = startProgram({ REDIS_URL: server.url });
  const visitor = await Visitor.of(program);
  await visitor.signIn();
  await server.kill();
  await program.prints(/cannot be reached/);
  for (let i = 0; i < 2; i++) {
    const { status, headers, heading } = await visitor.ask("/");
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(heading).toBeTruthy();
  }
  expect(program.output.errors).toMatch(
    new RegExp(
      `^Redis at 127\\.0\\.0\\.1:${server.port} cannot be reached: pages answer 503\\..*\n$`,
    ),
  );
  await server.restart(); // an empty one
  await program.prints(/Redis is back\./);
  expect((await visitor.signIn()).heading).toBe("Your devices");
});

test("started without its Redis, it says that, and where it is, and answers 503", async () => {
  const server = await startServer();
  await server.kill();
  const program = startProgram({ REDIS_URL: server.url });
  await program.prints(/cannot be reached/);
  const visitor = await Visitor.of(program);
  const form = await visitor.ask("/sign-in"); // a page that needs no session
  expect(form.status).toBe(200);
  const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(form.text) ?? [];
  const answer = await visitor.ask("/sign-in", { csrf, name: "ada", password: "correct horse" });
  expect(answer.status).toBe(503);
  expect(answer.text).not.toContain("ECONNREFUSED");
  expect(program.output.errors.trim().split("\n")).toHaveLength(1);
});

test("on a port that is taken it says which, and ends", async () => {
  const [, port = ""] = await startProgram({ HOST: "127.0.0.1" }).prints(/http:\S+:(\d+)/);
  const second = startProgram({ HOST: "127.0.0.1", PORT: port });
  expect(await once(second.child, "exit")).toEqual([1, null]);
  await second.prints(
    new RegExp(`^The demo cannot listen on port ${port} .*Set PORT to another\\.\n$`),
  );
});
