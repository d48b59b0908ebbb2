/* Requests of one browser at the same time: each makes its calls of `ctx.session` one after the other. */

import { bindSessions } from "../../../src/http/bind.ts";
import type { CarrierName } from "../../../src/http/carriers/carriers.ts";
import { parseCookieOptions } from "../../../src/http/carriers/cookie-options.ts";
import type { Exchange } from "../../../src/http/exchange/exchange.ts";
import type { RequestSession } from "../../../src/http/session/request-session.ts";
import type { SessionSet } from "../../../src/sessions/session-set.ts";
import { type Actor, fresh } from "./actors.ts";
import type { Data, Scene } from "./scene.ts";

/** The state of a request between its calls. */
export interface Hands {
  readonly session: RequestSession<Data>;
  readonly me: string;
  /** The fields that it has read. */
  data?: Partial<Data>;
  peers?: SessionSet<Data> | null;
  /** Takes a token that the application answers with, where no cookie carries it. */
  take(token: string | null): void;
}

export type Call = (hands: Hands) => Promise<unknown>;

/** How the token of a request travels. */
export type Carried = CarrierName & string;

const CONFIG = parseCookieOptions<Data>();

/** The session of a request that comes with a token; `answered` is told of the cookies it gets. */
function createRequestSession(
  scene: Scene,
  token: string,
  carried: Carried,
  answered: (cookie: string) => void,
) {
  const headers = new Map([
    carried === "cookie"
      ? ["cookie", `${CONFIG.prefix}${CONFIG.name}=${token}`]
      : ["authorization", `Bearer ${token}`],
  ] as [string, string][]);
  const exchange: Exchange = {
    secure: true,
    method: "POST",
    proxySetting: "nothing",
    fault: null,
    body: undefined,
    requestHeader: (name) => headers.get(name),
    sendCookie: (_key, cookie) => {
      if (cookie) answered(cookie.header);
    },
    sendHeader: () => {},
    restrictCaching: () => {},
  };
  const options = { carriers: [carried] };
  return bindSessions("the tests", scene.sessions, options, [])({}, exchange, null);
}

/** How a request goes. */
interface Manner extends Pick<Actor, "ofSet" | "inParts" | "makes"> {
  readonly carried?: Carried;
}

export function request(
  name: string,
  from: string,
  calls: readonly Call[],
  { carried = "cookie", ...manner }: Manner = { ofSet: false },
): Actor {
  return {
    name: `request: ${name}`,
    ...manner,
    request: true,
    start(scene, me) {
      const name = manner.makes ? fresh(me) : me;
      const take = (token: string | null) => {
        if (token !== null) scene.tokens.set(name, token);
      };
      const session = createRequestSession(
        scene,
        scene.tokens.get(from) ?? "",
        carried,
        (setCookie) => {
          const [, token = ""] = /=([^;]*)/.exec(setCookie) ?? [];
          if (token === "") scene.tokens.delete(name);
          else take(token);
        },
      );
      const hands: Hands = { session, me, take };
      return calls.map((call) => () => call(hands));
    },
  };
}

const get: Call = ({ session }) => session.get();
const set: Call = ({ session, me }) => session.set({ cart: me });
const rotate: Call = async ({ session }) => (await session.rotate())?.session?.data ?? null;
const renew: Call = async ({ session }) => {
  return (await session.rotate({ user_id: 1 }))?.session?.data ?? null;
};
const write: Call = ({ session, me }) => session.set({ n: fresh(me), user_id: 2 });
const signInAs = (user_id: number): Call => {
  return async ({ session, me }) => {
    const values = { n: fresh(me), user_id };
    return (await session.signIn(values, { keep: ["cart"] })).session.data;
  };
};
const signIn = signInAs(1);
const unset: Call = ({ session }) => session.unset(["cart"]);
const signOut: Call = ({ session, me }) => session.set({ n: fresh(me), user_id: null });
const end: Call = ({ session }) => session.delete();

/** One that may make a session. */
function making(name: string, from: string, calls: readonly Call[]): Actor {
  return request(name, from, calls, { ofSet: false, makes: true });
}

export const REQUESTS: readonly Actor[] = [
  request("get", "t3", [get]),
  request("get with an old token", "t1", [get]),
  request("get, set, rotate", "t3", [get, set, rotate]),
  request("get, set, rotate, with an old token", "t2", [get, set, rotate]),
  request("set, get", "t3", [set, get]),
  request("rotate, set", "t3", [rotate, set]),
  request("get, rotate of the same user", "t3", [get, renew]),
  making("get, set another user", "t3", [get, write]),
  making("set another user", "t3", [write]),
  making("set another user with an old token", "t2", [write, get]),
  making("set no user", "t3", [signOut]),
  making("get, sign in", "t3", [get, signIn]),
  making("sign in as another user with an old token", "t2", [signInAs(2), get]),
  making("end the session, sign in", "t3", [end, signIn]),
  making("end the session, set another user", "t3", [end, write]),
  request("sign out", "t3", [get, end]),
  request("get, unset", "t3", [get, unset]),
  request(
    "sign out the other devices",
    "t3",
    [
      async (hands) => {
        hands.peers = await hands.session.peers("user_id");
        return hands.peers !== null;
      },
      async ({ session, peers }) => (await peers?.clear({ except: session.id })) ?? null,
      get,
    ],
    { ofSet: true },
  ),
];
