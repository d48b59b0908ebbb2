/* A program for Bun and Deno: what a session does with the runtime's own Requests and Responses. It prints "done". */
import { deepEqual, equal, match } from "node:assert/strict";
import { createSessions } from "session-sets";
import { fetchSessions } from "session-sets/fetch";

const sessions = createSessions({ data: {} as { user_id?: number }, references: ["user_id"] });
const fetchSession = fetchSessions(sessions);

const warnings: string[] = [];
process.on("warning", (warning) => warnings.push(String(Object(warning).code)));

function request(path = "/", headers: Record<string, string> = {}): Request {
  return new Request(`https://shop.example${path}`, { headers });
}

/** The cookies of a response after a sign-in. */
async function signInto(response: Response): Promise<{ answer: Response; cookies: string[] }> {
  const session = fetchSession(request());
  await session.signIn({ user_id: 1 });
  const answer = session.commit(response);
  return { answer, cookies: answer.headers.getSetCookie() };
}

const COOKIE = /^__Host-session=[\w-]{34}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/;

// A response of the application keeps its own cookies.
const plain = new Response("hello", { headers: [["set-cookie", "theme=dark"]] });
const { answer, cookies } = await signInto(plain);
equal(answer, plain);
equal(cookies[0], "theme=dark");
match(cookies[1] ?? "", COOKIE);
equal(answer.headers.get("cache-control"), "no-store");

// The headers of a redirection, and of what fetch returned, cannot be changed everywhere.
const redirection = await signInto(Response.redirect("https://shop.example/next", 303));
match(redirection.cookies[0] ?? "", COOKIE);
deepEqual(
  [redirection.answer.status, redirection.answer.headers.get("location")],
  [303, "https://shop.example/next"],
);
const fetched = await signInto(await fetch("data:text/plain,hello"));
match(fetched.cookies[0] ?? "", COOKIE);
equal(await fetched.answer.text(), "hello");

// A request with the cookie has the session, and ends it.
const cookie = (cookies[1] ?? "").split(";")[0] ?? "";
const session = fetchSession(request("/", { cookie }));
deepEqual(await session.get(), { user_id: 1 });
equal(await session.signOutEverywhere("user_id"), 3);
match(
  session.commit(new Response()).headers.getSetCookie()[0] ?? "",
  /^__Host-session=; Max-Age=0/,
);

// What an application should know is a warning of the process, as under Node.
createSessions({ data: {} as { a?: string; b?: string }, references: ["a", "b"] });
await new Promise((resolve) => setTimeout(resolve, 50));
deepEqual(warnings, ["SESSION_SETS_IDENTITIES"]);

console.log("done");
