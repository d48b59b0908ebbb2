/* Signing in, and verbs that may: what compiles and what must not. Compiled, never run. */
import { createSessions, type Session, type SessionSet, type SessionWithToken } from "session-sets";
import type { ChangedCredentials, GivenSession, RequestSession } from "session-sets/fetch";
import { type Equal, same } from "./equal.ts";

interface Data {
  user_id: number;
  cart: string[];
  theme?: string;
  team_ids?: number[];
}

const sessions = createSessions({
  data: {} as Data,
  references: ["user_id", { team_ids: { identity: false } }],
});
declare const token: string | null | undefined;
declare const request: RequestSession<Data, "user_id" | "team_ids">;

/** The two things that `rotate` resolves to besides null. */
type Ended = { readonly token: null; readonly session: null };

// In the core -------------------------------------------------------------------------------------------

export async function core() {
  const made = await sessions.signIn(token, { user_id: 1, cart: [] });
  same<Equal<typeof made, SessionWithToken<Data>>>();
  same<Equal<typeof made.session.lineage, string>>();
  await sessions.signIn(null, { user_id: 1 }, { keep: ["cart"] });
  await sessions.signIn(token, { user_id: 1, cart: ["tea"] }, { keep: ["cart", "theme"] });
  await sessions.signIn(token, { user_id: 1 }, { keep: ["cart"], idleTimeout: "1 day" });
  // @ts-expect-error: cart is neither given nor kept
  await sessions.signIn(token, { user_id: 1 });
  // @ts-expect-error: cart is neither given nor kept
  await sessions.signIn(token, { user_id: 1 }, { keep: ["theme"] });
  // @ts-expect-error: user_id is required
  await sessions.signIn(token, { cart: [] });
  // @ts-expect-error: a wrong type
  await sessions.signIn(token, { user_id: "1", cart: [] });
  // @ts-expect-error: a wrong type, also of what may be kept
  await sessions.signIn(token, { user_id: 1, cart: "tea" }, { keep: ["cart"] });
  // @ts-expect-error: no field of the data
  await sessions.signIn(token, { user_id: 1, cart: [], nothing: 1 });
  // @ts-expect-error: no field of the data
  await sessions.signIn(token, { user_id: 1, cart: [] }, { keep: ["nothing"] });
  // @ts-expect-error: no duration
  await sessions.signIn(token, { user_id: 1, cart: [] }, { idleTimeout: "a while" });
  // @ts-expect-error: an option of requests
  await sessions.signIn(token, { user_id: 1, cart: [] }, { carrier: "bearer" });

  const rotated = await sessions.rotate(token, { theme: "dark" });
  same<Equal<typeof rotated, SessionWithToken<Data> | Ended | null>>();
  if (rotated?.token) same<Equal<typeof rotated.session, Session<Data>>>();
  // @ts-expect-error: it may be null
  rotated?.token.length;

  await sessions.byId(made.session.lineage).delete();
  await sessions.by("user_id", 1).clear({ except: made.session.lineage });
}

// In a request ------------------------------------------------------------------------------------------

export async function inRequest() {
  const made = await request.signIn({ user_id: 1, cart: [] });
  same<Equal<typeof made, GivenSession<Data>>>();
  same<Equal<typeof made.token, string | null>>();
  same<Equal<typeof made.session, Session<Data>>>();
  await request.signIn({ user_id: 1 }, { keep: ["cart"] });
  await request.signIn({ user_id: 1 }, { keep: ["cart"], absoluteTimeout: null });
  await request.signIn({ user_id: 1, cart: [] }, { carrier: "bearer", idleTimeout: "1 day" });
  // @ts-expect-error: cart is neither given nor kept
  await request.signIn({ user_id: 1 });
  // @ts-expect-error: cart is neither given nor kept
  await request.signIn({ user_id: 1 }, { keep: ["theme"] });
  // @ts-expect-error: user_id is required
  await request.signIn({ cart: [] });
  // @ts-expect-error: no values
  await request.signIn();
  // @ts-expect-error: no field of the data
  await request.signIn({ user_id: 1, cart: [] }, { keep: ["nothing"] });
  // @ts-expect-error: left out it is the cookie, where there is one
  await request.signIn({ user_id: 1, cart: [] }, { carrier: "cookie" });

  const set = request.set({ theme: "dark" });
  same<Equal<typeof set, Promise<void>>>();
  // @ts-expect-error: set takes no deadlines
  await request.set({ theme: "dark" }, { absoluteTimeout: "90 days" });

  const rotated = await request.rotate({ theme: "dark" }, { grace: 0 });
  same<Equal<typeof rotated, GivenSession<Data> | Ended | null>>();
  // @ts-expect-error: it may be null
  rotated?.session.data;

  const loaded = await request.load();
  same<Equal<NonNullable<typeof loaded>["lineage"], string>>();
}

export async function devices() {
  const changed = await request.changeCredentials("user_id");
  same<Equal<typeof changed, ChangedCredentials>>();
  same<Equal<typeof changed, { readonly ended: number; readonly token: string | null }>>();
  const others = await request.signOutOthers("user_id", { replicas: 1 });
  same<Equal<typeof others, number>>();
  const everywhere = await request.signOutEverywhere("user_id", { value: 1 });
  same<Equal<typeof everywhere, number>>();
  const peers = await request.peers("user_id");
  same<Equal<typeof peers, SessionSet<Data> | null>>();
  // @ts-expect-error: no declared reference
  await request.changeCredentials("theme");
  // @ts-expect-error: no declared reference
  await request.signOutOthers("cart");
  // @ts-expect-error: no field
  await request.signOutEverywhere();
  // @ts-expect-error: a value of another type
  await request.signOutEverywhere("user_id", { value: "1" });
  // @ts-expect-error: no option
  await request.signOutOthers("user_id", { except: "id" });
}
