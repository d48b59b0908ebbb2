import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import { csrfGuard, koaSessions, type SessionContext } from "session-sets/koa";
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

const app = new Koa<Koa.DefaultState, SessionContext<typeof sessions>>();
app.use(koaSessions(sessions)).use(csrfGuard());
app.use(bodyParser({ enableTypes: ["form"] }));

app.use(async (ctx) => {
  const { session } = ctx;
  const form = (ctx.request.body ?? {}) as Form;
  const here = await session.load(); // before any CSRF token is created or verified
  if (ctx.method === "POST" && !session.verifyCSRFToken()) ctx.throw(403);
  ctx.type = "html";
  const route = `${ctx.method} ${ctx.path}`;
  if (route === "GET /sign-in") {
    ctx.body = signInPage(session.createCSRFToken());
    return;
  }
  if (route === "POST /sign-in") {
    const values = authenticate(form, ctx.get("user-agent"));
    if (values) {
      await session.signIn(values); // a new session, so a token that was planted before is useless
      return ctx.redirect("/");
    }
    ctx.status = 422;
    ctx.body = signInPage(session.createCSRFToken(), "The name or the password is wrong.");
    return;
  }

  const devices = await session.peers("user_id");
  if (!here || !devices) return ctx.redirect("/sign-in");
  switch (route) {
    case "GET /":
      ctx.body = devicesPage(session.createCSRFToken(), here, await devices.list());
      return;
    case "POST /devices/end":
      await devices.delete(String(form.lineage)); // ends sessions of this user only
      return ctx.redirect("/");
    case "POST /devices/end-others":
      await session.signOutOthers("user_id");
      return ctx.redirect("/");
    case "GET /password":
      ctx.body = passwordPage(session.createCSRFToken());
      return;
    case "POST /password":
      if (changePassword(form)) {
        await session.changeCredentials("user_id"); // after the new password is stored
        return ctx.redirect("/");
      }
      ctx.status = 422;
      ctx.body = passwordPage(
        session.createCSRFToken(),
        "The password is wrong, or the new one is missing.",
      );
      return;
    case "POST /sign-out":
      await session.delete();
      return ctx.redirect("/sign-in");
    case "POST /sign-out-everywhere":
      await session.signOutEverywhere("user_id");
      return ctx.redirect("/sign-in");
    default:
      ctx.throw(404);
  }
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => announce(server.address()));
