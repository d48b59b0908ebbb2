/* Requests of one browser at the same time: each makes its calls of `ctx.session` one after the other. */
import { cookieConfig } from "../../src/http/cookie-options.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import type { RequestSession } from "../../src/http/request-session.ts";
import { requestSessions } from "../../src/http/request-sessions.ts";
import type { SessionSet } from "../../src/sessions/session-set.ts";
import type { Actor } from "./actors.ts";
import type { Data, Scene } from "./scene.ts";

/** What a request has at hand from one call to the next. */
interface Hands {
  readonly session: RequestSession<Data>;
  readonly me: string;
  peers?: SessionSet<Data> | null;
}

type Call = (hands: Hands) => Promise<unknown>;

const CONFIG = cookieConfig<Data>();

/** The session of a request that comes with a token; `answered` is told of the cookies it gets. */
function sessionOf(scene: Scene, token: string, answered: (cookie: string) => void) {
  const exchange: Exchange = {
    secure: true,
    headersSent: false,
    body: undefined,
    requestHeader: (name) => (name === "cookie" ? `${CONFIG.name}=${token}` : undefined),
    sendCookie: (_name, setCookie) => answered(setCookie),
    forbidCaching: () => {},
  };
  return requestSessions("the tests", scene.sessions, {}, [])({}, () => exchange, null);
}

function request(name: string, cookie: string, calls: readonly Call[], ofSet = false): Actor {
  return {
    name: `request: ${name}`,
    ofSet,
    request: true,
    start(scene, me) {
      const session = sessionOf(scene, scene.tokens.get(cookie) ?? "", (setCookie) => {
        const [, token = ""] = /=([^;]*)/.exec(setCookie) ?? [];
        if (token === "") scene.tokens.delete(me);
        else scene.tokens.set(me, token);
      });
      const hands: Hands = { session, me };
      return calls.map((call) => () => call(hands));
    },
  };
}

const get: Call = ({ session }) => session.get();
const set: Call = ({ session, me }) => session.set({ cart: me });
const rotate: Call = ({ session }) => session.rotate();
const signIn: Call = ({ session }) => session.set({ user_id: 2 });
const unset: Call = ({ session }) => session.unset(["cart"]);
const end: Call = ({ session }) => session.delete();

export const REQUESTS: readonly Actor[] = [
  request("get", "t3", [get]),
  request("get with an old token", "t1", [get]),
  request("get, set, rotate", "t3", [get, set, rotate]),
  request("get, set, rotate, with an old token", "t2", [get, set, rotate]),
  request("set, get", "t3", [set, get]),
  request("rotate, set", "t3", [rotate, set]),
  request("get, sign in", "t3", [get, signIn]),
  request("sign in", "t3", [signIn]),
  request("sign in with an old token", "t2", [signIn, get]),
  request("end the session, sign in", "t3", [end, signIn]),
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
      async ({ session, peers }) => (await peers?.clear({ except: session.id() })) ?? null,
      get,
    ],
    true,
  ),
];
