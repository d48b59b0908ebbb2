import { misconfigured, optionNames, refuseUnknownKeys } from "../errors.ts";
import type { FieldOf, Session } from "../sessions/types.ts";
import type { RequestSession } from "./request-session.ts";

/** What is answered where nobody is signed in. */
export interface RequireSessionOptions {
  /**
   * Where a page sends its visitor: such as `"/sign-in"`. Requests that do not ask for a page (by Accept)
   * are answered 401 nevertheless.
   * @default none: every request is answered 401
   */
  redirect?: string;
}

const OPTIONS = optionNames<RequireSessionOptions>({ redirect: true });

/** A session that says who the user is. */
export type SignedInSession<Data extends object, Field extends FieldOf<Data>> = Session<
  Data & { readonly [Name in Field]-?: NonNullable<Data[Name]> }
>;

/** The answer to a request of nobody. */
export interface Refusal {
  readonly status: 303 | 401;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one request shows of itself. */
export interface AskingRequest {
  readonly method: string;
  header(name: "accept" | "authorization"): string | undefined;
}

/** Asks whether a request has a session with a value of a field; what to answer where it has none. */
export type SessionRequirement<Data extends object, Field extends FieldOf<Data>> = (
  session: RequestSession<Data>,
  request: AskingRequest,
) => Promise<
  | { readonly session: SignedInSession<Data, Field>; readonly refusal: null }
  | { readonly session: null; readonly refusal: Refusal }
>;

/**
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or a redirection that is none.
 */
export function sessionRequirement<Data extends object, Field extends FieldOf<Data>>(
  field: Field,
  options: RequireSessionOptions = {},
): SessionRequirement<Data, Field> {
  refuseUnknownKeys("requireSession", options, OPTIONS);
  const { redirect } = options;
  if (typeof field !== "string" || field === "") {
    throw misconfigured('requireSession takes the field that says who the user is: "user_id"');
  }
  if (redirect !== undefined && (typeof redirect !== "string" || redirect === "")) {
    throw misconfigured('redirect is the address of the page to sign in: "/sign-in"');
  }
  return async (session, request) => {
    const found = await session.load();
    const value: unknown = found?.data[field];
    if (found && [value].flat().some((one) => one != null)) {
      return { session: found as SignedInSession<Data, Field>, refusal: null };
    }
    return { session: null, refusal: refusalOf(request, redirect) };
  };
}

function refusalOf(request: AskingRequest, redirect: string | undefined): Refusal {
  const headers = { "cache-control": "no-store" };
  if (redirect !== undefined && asksForPage(request)) {
    return { status: 303, headers: { ...headers, location: redirect }, body: "" };
  }
  // RFC 9110, section 11.6.1: a 401 names a scheme; RFC 6750, section 3: what is wrong with a token.
  const scheme =
    request.header("authorization") === undefined ? "Bearer" : 'Bearer error="invalid_token"';
  return {
    status: 401,
    headers: {
      ...headers,
      "www-authenticate": scheme,
      "content-type": "text/plain; charset=utf-8",
    },
    body: "Please sign in.",
  };
}

/** Whether a browser is to show what is answered. */
function asksForPage({ header }: AskingRequest): boolean {
  return /\btext\/html\b/i.test(header("accept") ?? "");
}

/** The sessions that a requirement has found, by their requests. */
export class FoundSessions<Found> {
  readonly #found = new WeakMap<object, Found>();

  put(request: object, session: Found): void {
    this.#found.set(request, session);
  }

  /** @throws SessionError ERR_SESSION_CONFIG where the requirement has not been asked for the request. */
  of(request: object): Found {
    const found = this.#found.get(request);
    if (found) return found;
    throw misconfigured("of(…) is for what comes after requireSession: put that before this route");
  }
}
