import fastify from "fastify";
import { csrfGuard, fastifySessions } from "session-sets/fastify";
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

const app = fastify();
const shop = fastifySessions(sessions);
app.register(shop);
app.register(csrfGuard());

app.addContentTypeParser(
  "application/x-www-form-urlencoded",
  { parseAs: "string" },
  (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
);
app.addHook("preHandler", async (request, reply) => {
  await shop.of(request).load(); // before any CSRF token is created or verified
  if (request.method !== "POST" || shop.of(request).verifyCSRFToken()) return;
  await reply.code(403).send("Forbidden");
});
app.addHook("onSend", async (_request, reply) => void reply.type("text/html"));

app.get("/sign-in", async (request) => signInPage(shop.of(request).createCSRFToken()));

app.post<{ Body: Form }>("/sign-in", async (request, reply) => {
  const session = shop.of(request);
  const values = authenticate(request.body, request.headers["user-agent"]);
  if (values) {
    await session.signIn(values); // a new session, so a token that was planted before is useless
    return reply.redirect("/");
  }
  reply.code(422);
  return signInPage(session.createCSRFToken(), "The name or the password is wrong.");
});

app.get("/", async (request, reply) => {
  const session = shop.of(request);
  const here = await session.load();
  const devices = await session.peers("user_id");
  if (!here || !devices) return reply.redirect("/sign-in");
  return devicesPage(session.createCSRFToken(), here, await devices.list());
});

app.post<{ Body: Form }>("/devices/end", async (request, reply) => {
  const devices = await shop.of(request).peers("user_id");
  await devices?.delete(String(request.body.lineage)); // ends sessions of this user only
  return reply.redirect("/");
});

app.post("/devices/end-others", async (request, reply) => {
  const session = shop.of(request);
  if (await session.peers("user_id")) await session.signOutOthers("user_id");
  return reply.redirect("/");
});

app.get("/password", async (request, reply) => {
  const session = shop.of(request);
  if (!(await session.peers("user_id"))) return reply.redirect("/sign-in");
  return passwordPage(session.createCSRFToken());
});

app.post<{ Body: Form }>("/password", async (request, reply) => {
  const session = shop.of(request);
  if (!(await session.peers("user_id"))) return reply.redirect("/sign-in");
  if (changePassword(request.body)) {
    await session.changeCredentials("user_id"); // after the new password is stored
    return reply.redirect("/");
  }
  reply.code(422);
  return passwordPage(
    session.createCSRFToken(),
    "The password is wrong, or the new one is missing.",
  );
});

app.post("/sign-out", async (request, reply) => {
  await shop.of(request).delete();
  return reply.redirect("/sign-in");
});

app.post("/sign-out-everywhere", async (request, reply) => {
  const session = shop.of(request);
  if (await session.peers("user_id")) await session.signOutEverywhere("user_id");
  return reply.redirect("/sign-in");
});

app.listen({ port: Number(process.env.PORT ?? 3000) }, (error) => {
  if (error) throw error;
  announce(app.server.address());
});
