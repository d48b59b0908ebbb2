import express from "express";
import { csrfGuard, expressSessions } from "session-sets/express";
import {
  announce,
  authenticate,
  changePassword,
  devicesPage,
  passwordPage,
  sessions,
  signInPage,
} from "../shop.ts";

const app = express();
const shop = expressSessions(sessions);
app.use(shop, csrfGuard(), express.urlencoded({ extended: false }));

app.use(async (req, res, next) => {
  const session = shop.of(req);
  await session.load(); // before any CSRF token is created or verified
  if (req.method !== "POST" || session.verifyCSRFToken()) return next();
  res.sendStatus(403);
});

app.get("/sign-in", (req, res) => {
  res.send(signInPage(shop.of(req).createCSRFToken()));
});

app.post("/sign-in", async (req, res) => {
  const session = shop.of(req);
  const values = authenticate(req.body, req.get("user-agent"));
  if (values) {
    await session.signIn(values); // a new session, so a token that was planted before is useless
    return res.redirect("/");
  }
  const page = signInPage(session.createCSRFToken(), "The name or the password is wrong.");
  return res.status(422).send(page);
});

app.get("/", async (req, res) => {
  const session = shop.of(req);
  const here = await session.load();
  const devices = await session.peers("user_id");
  if (!here || !devices) return res.redirect("/sign-in");
  return res.send(devicesPage(session.createCSRFToken(), here, await devices.list()));
});

app.post("/devices/end", async (req, res) => {
  const devices = await shop.of(req).peers("user_id");
  await devices?.delete(String(req.body.lineage)); // ends sessions of this user only
  res.redirect("/");
});

app.post("/devices/end-others", async (req, res) => {
  const session = shop.of(req);
  if (await session.peers("user_id")) await session.signOutOthers("user_id");
  res.redirect("/");
});

app.get("/password", async (req, res) => {
  const session = shop.of(req);
  if (!(await session.peers("user_id"))) return res.redirect("/sign-in");
  return res.send(passwordPage(session.createCSRFToken()));
});

app.post("/password", async (req, res) => {
  const session = shop.of(req);
  if (!(await session.peers("user_id"))) return res.redirect("/sign-in");
  if (changePassword(req.body)) {
    await session.changeCredentials("user_id"); // after the new password is stored
    return res.redirect("/");
  }
  return res
    .status(422)
    .send(
      passwordPage(session.createCSRFToken(), "The password is wrong, or the new one is missing."),
    );
});

app.post("/sign-out", async (req, res) => {
  await shop.of(req).delete();
  res.redirect("/sign-in");
});

app.post("/sign-out-everywhere", async (req, res) => {
  const session = shop.of(req);
  if (await session.peers("user_id")) await session.signOutEverywhere("user_id");
  res.redirect("/sign-in");
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => announce(server.address()));
