import { SessionError } from "session-sets";
import type { Context } from "./context.ts";
import { showTo, showToVisitor, type Visit } from "./corner.ts";
import { describeDevice } from "./device.ts";
import { streamEvents } from "./live.ts";
import type { User } from "./users/users.ts";
import { devicesPage, KEPT_DEVICES } from "./views/devices.ts";
import { describeEnding, REASONS } from "./views/endings.ts";
import { passwordPage, signInPage, signUpPage } from "./views/forms.ts";
import { readField, seeOther } from "./web.ts";

type Handler = (ctx: Context) => Promise<void>;

const ROUTES: Readonly<Record<string, Handler>> = {
  "GET /": ifSignedIn(showDevices),
  "GET /events": ifSignedIn(streamEvents),
  "GET /sign-in": ifSignedOut(showSignIn),
  "POST /sign-in": signIn,
  "GET /sign-up": ifSignedOut(showSignUp),
  "POST /sign-up": signUp,
  "POST /sign-out": signOut,
  "POST /devices/end": ifSignedIn(endOne),
  "POST /devices/end-others": ifSignedIn(endOthers),
  "POST /devices/keep-newest": ifSignedIn(keepNewest),
  "POST /devices/end-all": ifSignedIn(endAll),
  "GET /password": ifSignedIn(showPassword),
  "POST /password": ifSignedIn(changePassword),
};

export async function route(ctx: Context): Promise<void> {
  const method = ctx.method === "HEAD" ? "GET" : ctx.method;
  await ROUTES[`${method} ${ctx.path}`]?.(ctx);
}

function ifSignedIn(handler: (ctx: Context, visit: Visit) => Promise<void>): Handler {
  return async (ctx) => {
    const { signedIn, users } = ctx.state;
    await signedIn(ctx, async () => {
      const session = signedIn.of(ctx);
      const user = users.get(session.data.user_id);
      if (user) await handler(ctx, { user, session });
      else seeOther(ctx, "/sign-in");
    });
  };
}

function ifSignedOut(handler: Handler): Handler {
  return async (ctx) => {
    const session = await ctx.session.load();
    if (ctx.state.users.get(session?.data.user_id)) seeOther(ctx, "/");
    else await handler(ctx);
  };
}

/** Finds the user with this password; null if it is wrong, or after too many wrong ones. */
async function authenticate(ctx: Context, name: string, password: string) {
  const { attempts, users } = ctx.state;
  const address = readAddress(ctx);
  if (!attempts.mayTry(name, address)) return { user: null, status: 429, problem: TOO_MANY };
  const user = await users.authenticate(name, password);
  if (user) attempts.succeeded(name, address);
  return { user, status: 422, problem: null };
}

const TOO_MANY = "Too many attempts. Try again in 15 minutes.";
const JUST_ENDED = "This account was signed out elsewhere a moment ago. Sign in again.";

async function showSignIn(ctx: Context): Promise<void> {
  const { flash } = await ctx.session.get(["flash"]);
  if (flash) await ctx.session.delete(); // a session without a user, made for this message
  const notice = flash ?? describeEnding(ctx.query.ended);
  const csrf = ctx.session.createCSRFToken();
  showToVisitor(ctx, signInPage({ csrf, flash: notice, sample: ctx.state.users.sample }));
}

async function signIn(ctx: Context): Promise<void> {
  const name = readField(ctx, "name").trim();
  const remember = readField(ctx, "remember") === "yes";
  const asOf = Date.now(); // before the password is read
  const tried = await authenticate(ctx, name, readField(ctx, "password"));
  if (tried.user && (await startSession(ctx, tried.user, { remember, asOf }))) {
    return seeOther(ctx, "/");
  }
  const csrf = ctx.session.createCSRFToken();
  const wrong = tried.problem ?? "The name or the password is wrong.";
  const problem = tried.user ? JUST_ENDED : wrong;
  const { sample } = ctx.state.users;
  const page = signInPage({ csrf, name, remember, problem, sample });
  showToVisitor(ctx, page, tried.user ? 409 : tried.status);
}

async function showSignUp(ctx: Context): Promise<void> {
  showToVisitor(ctx, signUpPage({ csrf: ctx.session.createCSRFToken() }));
}

async function signUp(ctx: Context): Promise<void> {
  const name = readField(ctx, "name").trim().normalize("NFKC");
  const password = readField(ctx, "password");
  const user = findProblem(name, password) ? null : await ctx.state.users.add(name, password);
  if (user && (await startSession(ctx, user))) return seeOther(ctx, "/");
  const csrf = ctx.session.createCSRFToken();
  const problem = findProblem(name, password) ?? "This name is taken.";
  showToVisitor(ctx, signUpPage({ csrf, name, problem }), 422);
}

function findProblem(name: string, password: string): string | null {
  if (!/^[\p{L}\p{N}._-]{2,32}$/u.test(name)) {
    return "A name has 2 to 32 letters, digits, dots, dashes or underscores.";
  }
  return password.length < 8 ? "A password has at least 8 characters." : null;
}

/**
 * Signs the user in. Returns false if the user's sessions were ended since `asOf`, such as by a change of the
 * password that was just checked.
 */
async function startSession(
  ctx: Context,
  user: User,
  { remember = false, asOf }: { readonly remember?: boolean; readonly asOf?: number } = {},
): Promise<boolean> {
  const device = describeDevice(ctx.get("User-Agent"));
  const values = { user_id: user.id, ...device, address: readAddress(ctx), remember };
  const timeouts = { idleTimeout: "30 days", absoluteTimeout: "90 days" } as const;
  try {
    await ctx.session.signIn(values, { asOf, ...(remember ? timeouts : {}) });
    return true;
  } catch (error) {
    if (error instanceof SessionError && error.code === "ERR_SESSION_GONE") return false;
    throw error;
  }
}

/** The client's address. Behind a proxy, set `app.proxy`. */
function readAddress(ctx: Context): string {
  return ctx.ip.replace("::ffff:", "");
}

async function signOut(ctx: Context): Promise<void> {
  await ctx.session.delete();
  seeOther(ctx, "/sign-in");
}

async function showDevices(ctx: Context, visit: Visit): Promise<void> {
  const { user, session } = visit;
  const peers = await ctx.session.peers("user_id");
  if (!peers) return seeOther(ctx, "/sign-in");
  const sessions = await peers.list();
  const { flash } = session.data;
  if (flash) await ctx.session.unset(["flash"]);
  const csrf = ctx.session.createCSRFToken();
  await showTo(ctx, visit, devicesPage({ csrf, user, here: session, sessions }, flash));
}

async function endOne(ctx: Context): Promise<void> {
  const peers = await ctx.session.peers("user_id");
  // Whatever the form says, only a session of this user can end. It may be the one of this request.
  const ended = await peers?.delete(readField(ctx, "lineage"), {
    initiator: "user",
    reason: REASONS.one,
  });
  await ctx.session.set({
    flash: ended ? "The device is signed out." : "The device was already signed out.",
  });
  seeOther(ctx, "/");
}

async function endOthers(ctx: Context): Promise<void> {
  const ended = await ctx.session.signOutOthers("user_id", {
    initiator: "user",
    reason: REASONS.others,
  });
  await ctx.session.set({
    flash:
      ended === 1 ? "One other device is signed out." : `${ended} other devices are signed out.`,
  });
  seeOther(ctx, "/");
}

async function keepNewest(ctx: Context): Promise<void> {
  const peers = await ctx.session.peers("user_id");
  const ended = (await peers?.trim({ keep: KEPT_DEVICES, initiator: "user" })) ?? 0;
  // This device may be one of those.
  if (await ctx.session.touch()) {
    const flash =
      ended === 1 ? "One older device is signed out." : `${ended} older devices are signed out.`;
    await ctx.session.set({ flash });
  }
  seeOther(ctx, "/");
}

async function endAll(ctx: Context): Promise<void> {
  await ctx.session.signOutEverywhere("user_id", {
    initiator: "user",
    reason: REASONS.everywhere,
  });
  seeOther(ctx, "/sign-in");
}

async function showPassword(ctx: Context, visit: Visit): Promise<void> {
  const { user } = visit;
  await showTo(ctx, visit, passwordPage({ csrf: ctx.session.createCSRFToken(), user }));
}

async function changePassword(ctx: Context, visit: Visit): Promise<void> {
  const { user } = visit;
  const password = readField(ctx, "new");
  const tried = await authenticate(ctx, user.name, readField(ctx, "current"));
  const wrong = tried.problem ?? "The current password is wrong.";
  const problem = tried.user ? findProblem(user.name, password) : wrong;
  if (problem) {
    const csrf = ctx.session.createCSRFToken();
    return showTo(ctx, visit, passwordPage({ csrf, user, problem }), tried.status);
  }
  await ctx.state.users.changePassword(user, password);
  // All other devices are signed out, and a stolen copy of this cookie becomes useless, too.
  await ctx.session.changeCredentials("user_id", {
    initiator: "user",
    reason: REASONS.password,
  });
  const flash = "Your password is changed and your other devices are signed out.";
  await ctx.session.set({ flash });
  seeOther(ctx, "/");
}
