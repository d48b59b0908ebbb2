/* Both runtimes serve the `fetch` of a default export: `bun server.ts`, `deno serve server.ts`. */
import { SessionError } from "session-sets";
import { csrfGuard, type FetchSession, fetchSessions } from "session-sets/fetch";
import {
  authenticate,
  changePassword,
  type Data,
  devicesPage,
  type Form,
  passwordPage,
  sessions,
  signInPage,
} from "../shop.ts";

const fetchSession = fetchSessions(sessions);
const guard = csrfGuard();

async function answer(request: Request, session: FetchSession<Data, "user_id">): Promise<Response> {
  const form = request.method === "POST" ? await readForm(request) : {};
  const here = await session.load(); // before any CSRF token is created or verified
  if (request.method === "POST" && !session.verifyCSRFToken(form._csrf))
    return show("Forbidden", 403);

  const route = `${request.method} ${new URL(request.url).pathname}`;
  if (route === "GET /sign-in") return show(signInPage(session.createCSRFToken()));
  if (route === "POST /sign-in") {
    const values = authenticate(form, request.headers.get("user-agent") ?? "");
    if (values) {
      await session.signIn(values); // a new session, so a token that was planted before is useless
      return redirect("/");
    }
    const page = signInPage(session.createCSRFToken(), "The name or the password is wrong.");
    return show(page, 422);
  }

  const devices = await session.peers("user_id");
  if (!here || !devices) return redirect("/sign-in");
  switch (route) {
    case "GET /":
      return show(devicesPage(session.createCSRFToken(), here, await devices.list()));
    case "POST /devices/end":
      await devices.delete(String(form.lineage)); // ends sessions of this user only
      return redirect("/");
    case "POST /devices/end-others":
      await session.signOutOthers("user_id");
      return redirect("/");
    case "GET /password":
      return show(passwordPage(session.createCSRFToken()));
    case "POST /password": {
      if (changePassword(form)) {
        await session.changeCredentials("user_id"); // after the new password is stored
        return redirect("/");
      }
      const message = "The password is wrong, or the new one is missing.";
      return show(passwordPage(session.createCSRFToken(), message), 422);
    }
    case "POST /sign-out":
      await session.delete();
      return redirect("/sign-in");
    case "POST /sign-out-everywhere":
      await session.signOutEverywhere("user_id");
      return redirect("/sign-in");
    default:
      return show("Not found", 404);
  }
}

async function readForm(request: Request): Promise<Form> {
  const form = await request.formData().catch(() => []); // without a form there is no CSRF token
  return Object.fromEntries(form);
}

function show(page: string, status = 200): Response {
  return new Response(page, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

function redirect(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}

export default {
  async fetch(request: Request): Promise<Response> {
    const session = fetchSession(request);
    try {
      guard(request);
      return session.commit(await answer(request, session));
    } catch (error) {
      const status = error instanceof SessionError ? error.status : 500;
      return session.commit(show("Something went wrong", status));
    }
  },
};
