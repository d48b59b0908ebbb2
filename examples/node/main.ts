import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { SessionError } from "session-sets";
import { csrfGuard, nodeSessions } from "session-sets/node";
import {
  announce,
  authenticate,
  changePassword,
  devicesPage,
  type Form,
  passwordPage,
  sessions,
  signInPage,
} from "../shop.ts";

const sessionOf = nodeSessions(sessions);
const guard = csrfGuard();
const MAX_FORM_LENGTH = 10_000;

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const session = sessionOf(req, res);
  guard(req);
  const form = req.method === "POST" ? await readForm(req) : {};
  const here = await session.load(); // before any CSRF token is created or verified
  if (req.method === "POST" && !session.verifyCSRFToken(form._csrf))
    return show(res, "Forbidden", 403);

  const route = `${req.method} ${req.url}`;
  if (route === "GET /sign-in") return show(res, signInPage(session.createCSRFToken()));
  if (route === "POST /sign-in") {
    const values = authenticate(form, req.headers["user-agent"]);
    if (values) {
      await session.signIn(values); // a new session, so a token that was planted before is useless
      return redirect(res, "/");
    }
    const page = signInPage(session.createCSRFToken(), "The name or the password is wrong.");
    return show(res, page, 422);
  }

  const devices = await session.peers("user_id");
  if (!here || !devices) return redirect(res, "/sign-in");
  switch (route) {
    case "GET /":
      return show(res, devicesPage(session.createCSRFToken(), here, await devices.list()));
    case "POST /devices/end":
      await devices.delete(String(form.lineage)); // ends sessions of this user only
      return redirect(res, "/");
    case "POST /devices/end-others":
      await session.signOutOthers("user_id");
      return redirect(res, "/");
    case "GET /password":
      return show(res, passwordPage(session.createCSRFToken()));
    case "POST /password": {
      if (changePassword(form)) {
        await session.changeCredentials("user_id"); // after the new password is stored
        return redirect(res, "/");
      }
      const message = "The password is wrong, or the new one is missing.";
      return show(res, passwordPage(session.createCSRFToken(), message), 422);
    }
    case "POST /sign-out":
      await session.delete();
      return redirect(res, "/sign-in");
    case "POST /sign-out-everywhere":
      await session.signOutEverywhere("user_id");
      return redirect(res, "/sign-in");
    default:
      return show(res, "Not found", 404);
  }
}

async function readForm(req: IncomingMessage): Promise<Form> {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_FORM_LENGTH) throw new Error("The form is too large");
  }
  return Object.fromEntries(new URLSearchParams(text));
}

function show(res: ServerResponse, page: string, status = 200): void {
  res.writeHead(status, { "Content-Type": "text/html; charset=utf-8" }).end(page);
}

function redirect(res: ServerResponse, location: string): void {
  res.writeHead(303, { Location: location }).end();
}

const server = createServer((req, res) => {
  answer(req, res).catch((error) => {
    show(res, "Something went wrong", error instanceof SessionError ? error.status : 500);
  });
});
server.listen(Number(process.env.PORT ?? 3000), () => announce(server.address()));
