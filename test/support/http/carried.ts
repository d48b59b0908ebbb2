/* Clients whose token a cookie or a bearer header carries, for what holds for both. */
import type { Answer, AppOptions, Data, Handler, SendOptions, TestApp } from "./app.ts";
import type { Start } from "./contract/contract.ts";

/** A client that keeps its session's token. */
export interface Client {
  readonly token: string | undefined;
  send(handler: Handler, options?: SendOptions): Promise<Answer>;
  /** Takes the token that an answer gives, or forgets its own. */
  take(answer: Answer): void;
  data(): Promise<unknown>;
}

type Told = "a token" | "no token any more" | "nothing";

/** One way in which tokens are carried. */
export interface Carried {
  readonly name: string;
  start(options?: AppOptions): Promise<TestApp>;
  /** A client that has this token, or none. */
  client(app: TestApp, token?: string): Client;
  /** A client that has a session with these values. */
  visitor(app: TestApp, values?: Data): Promise<Client>;
  /** What the client is told of its token by an answer. */
  told(answer: Answer): Told;
  /** What it is told where its session is ended. */
  readonly ended: Told;
}

/** A program, which sends its token in a header, and takes the one that an answer's body has. */
class Program implements Client {
  token: string | undefined;
  readonly #app: TestApp;

  constructor(app: TestApp, token: string | undefined) {
    this.#app = app;
    this.token = token;
  }

  async send(handler: Handler, { take = true, ...options }: SendOptions = {}): Promise<Answer> {
    const headers = { ...(this.token && { authorization: `Bearer ${this.token}` }) };
    const answer = await this.#app.browser().send(handler, {
      ...options,
      headers: { ...headers, ...options.headers },
    });
    if (take) this.take(answer);
    return answer;
  }

  take({ value }: Answer): void {
    const { token } = Object(value);
    if (typeof token === "string") this.token = token;
  }

  async data(): Promise<unknown> {
    return (await this.send(({ session }) => session.get())).value;
  }
}

/** The ways in which a session's token may be carried, each with an application that takes it. */
export function carriers(start: Start): readonly Carried[] {
  return [
    {
      name: "a cookie",
      start: (options) => start(options),
      client: (app, token) => app.browser(token),
      visitor: (app, values) => app.visitor(values),
      ended: "no token any more",
      told({ setCookies }) {
        if (setCookies.length === 0) return "nothing";
        return setCookies.at(-1)?.value === "" ? "no token any more" : "a token";
      },
    },
    {
      name: "a bearer header",
      start: (options) => start({ carriers: ["bearer"], ...options }),
      client: (app, token) => new Program(app, token),
      async visitor(app, values = {}) {
        return new Program(app, (await app.sessions.create(values)).token);
      },
      ended: "nothing",
      told({ value, setCookies }) {
        if (setCookies.length > 0) throw new Error("A program was sent a cookie");
        return typeof Object(value).token === "string" ? "a token" : "nothing";
      },
    },
  ];
}
