import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { csrfGuard, honoSessions, type SessionVariables } from "session-sets/hono";
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

const app = new Hono<{ Variables: SessionVariables<typeof sessions> & { form: Form } }>();
app.use(honoSessions(sessions), csrfGuard());

app.use(async (c, next) => {
  await c.var.session.load(); // before any CSRF token is created or verified
  if (c.req.method === "POST") {
    c.set("form", await c.req.parseBody());
    if (!c.var.session.verifyCSRFToken(c.var.form._csrf)) return c.text("Forbidden", 403);
  }
  return next();
});

app.get("/sign-in", (c) => c.html(signInPage(c.var.session.createCSRFToken())));

app.post("/sign-in", async (c) => {
  const values = authenticate(c.var.form, c.req.header("user-agent"));
  if (values) {
    await c.var.session.signIn(values); // a new session, so a token that was planted before is useless
    return c.redirect("/");
  }
  const page = signInPage(c.var.session.createCSRFToken(), "The name or the password is wrong.");
  return c.html(page, 422);
});

app.get("/", async (c) => {
  const { session } = c.var;
  const here = await session.load();
  const devices = await session.peers("user_id");
  if (!here || !devices) return c.redirect("/sign-in");
  return c.html(devicesPage(session.createCSRFToken(), here, await devices.list()));
});

app.post("/devices/end", async (c) => {
  const devices = await c.var.session.peers("user_id");
  await devices?.delete(String(c.var.form.lineage)); // ends sessions of this user only
  return c.redirect("/");
});

app.post("/devices/end-others", async (c) => {
  const { session } = c.var;
  if (await session.peers("user_id")) await session.signOutOthers("user_id");
  return c.redirect("/");
});

app.get("/password", async (c) => {
  const { session } = c.var;
  if (!(await session.peers("user_id"))) return c.redirect("/sign-in");
  return c.html(passwordPage(session.createCSRFToken()));
});

app.post("/password", async (c) => {
  const { session } = c.var;
  if (!(await session.peers("user_id"))) return c.redirect("/sign-in");
  if (changePassword(c.var.form)) {
    await session.changeCredentials("user_id"); // after the new password is stored
    return c.redirect("/");
  }
  const message = "The password is wrong, or the new one is missing.";
  return c.html(passwordPage(session.createCSRFToken(), message), 422);
});

app.post("/sign-out", async (c) => {
  await c.var.session.delete();
  return c.redirect("/sign-in");
});

app.post("/sign-out-everywhere", async (c) => {
  const { session } = c.var;
  if (await session.peers("user_id")) await session.signOutEverywhere("user_id");
  return c.redirect("/sign-in");
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, announce);
