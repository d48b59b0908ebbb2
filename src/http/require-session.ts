import { findCore } from "../sessions/create-sessions.ts";
import type { FieldOf, Session } from "../sessions/types.ts";
import { createConfigError, listOptionNames, quote } from "../shared/errors.ts";
import { readOptions, readSafely } from "../shared/given.ts";
import { Note } from "../shared/note.ts";
import type { RequestSession } from "./session/request-session.ts";

/** The answer if nobody is signed in, and whether the check counts as use. */
export interface RequireSessionOptions {
  /**
   * The page to which a visitor without a session is sent, such as `"/sign-in"`. Requests that do not ask
   * for a page are still answered 401.
   * @default none: every request is answered 401
   */
  redirect?: string;
  /**
   * The client: a browser that asks for a `"page"`, or a `"program"`.
   * @default "page" if Accept names text/html
   */
  answer?: "page" | "program";
  /**
   * Whether the request counts as use of the session. Use false for requests that a page repeats by
   * itself.
   * @default true
   */
  touch?: boolean;
}

const OPTIONS = listOptionNames<RequireSessionOptions>({
  redirect: true,
  answer: true,
  touch: true,
});

/** A session that says who the user is. */
export type SignedInSession<Data extends object, Field extends FieldOf<Data>> = Session<
  Data & { readonly [Name in Field]-?: NonNullable<Data[Name]> }
>;

/** The answer to a request without a signed-in user. */
export interface Refusal {
  readonly status: 303 | 401;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The request headers that choose the answer. */
export interface AskingRequest {
  header(name: "accept" | "authorization"): string | undefined;
}

/** Finds the session of a request, if it has a value of a field, or else the answer to send. */
export type SessionRequirement<Data extends object, Field extends FieldOf<Data>> = (
  session: RequestSession<Data>,
  request: AskingRequest,
) => Promise<
  | { readonly session: SignedInSession<Data, Field>; readonly refusal: null }
  | { readonly session: null; readonly refusal: Refusal }
>;

/**
 * Makes a function that requires a signed-in user.
 *
 * @param sessions the sessions in which the field is a reference.
 * @throws SessionError ERR_SESSION_CONFIG for a field that does not say who the user is, an unknown
 * option, or one that cannot work.
 */
export function createRequirement<Data extends object, Field extends FieldOf<Data>>(
  sessions: object,
  field: Field,
  options: RequireSessionOptions = {},
): SessionRequirement<Data, Field> {
  const { redirect, answer, touch = true } = readOptions("requireSession", options, OPTIONS);
  if (typeof field !== "string" || field === "") {
    throw createConfigError('requireSession takes the field that says who the user is: "user_id"');
  }
  if (redirect !== undefined && !isAddress(redirect)) {
    throw createConfigError(
      'redirect must be the address of the sign-in page in a form that fits into a header, such as "/sign-in"; apply encodeURI to other characters',
      { option: "redirect" },
    );
  }
  if (answer !== undefined && answer !== "page" && answer !== "program") {
    throw createConfigError('answer must be "page" or "program", or left out', {
      option: "answer",
    });
  }
  if (typeof touch !== "boolean") {
    throw createConfigError("touch must be true or false", { option: "touch" });
  }
  const core = findCore(sessions);
  core?.checkReference(field);
  if (core?.filterIdentities([field]).length === 0) {
    throw createConfigError(
      `requireSession takes a reference that says who the user is, but ${quote(field)} is declared { identity: false }`,
      { field },
    );
  }
  return async (session, request) => {
    const found = await session.load({ touch });
    const value: unknown = found?.data[field];
    if (found && [value].flat().some((one) => one != null)) {
      return { session: found as SignedInSession<Data, Field>, refusal: null };
    }
    return { session: null, refusal: createRefusal(request, redirect, answer) };
  };
}

/** Whether a text can be the value of a Location header. RFC 3986 allows no other characters. */
function isAddress(text: unknown): boolean {
  return typeof text === "string" && /^[\x21-\x7e]+$/.test(text);
}

function createRefusal(
  request: AskingRequest,
  redirect: string | undefined,
  answer: RequireSessionOptions["answer"],
): Refusal {
  const headers = { "cache-control": "no-store" };
  const isOfPage = answer === undefined ? asksForPage(request) : answer === "page";
  if (redirect !== undefined && isOfPage) {
    return { status: 303, headers: { ...headers, location: redirect }, body: "" };
  }
  // RFC 9110, section 11.6.1: a 401 names a scheme. RFC 6750, section 3: it says what is wrong with a token.
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

/** Whether a browser will show the answer as a page. */
function asksForPage({ header }: AskingRequest): boolean {
  return /\btext\/html\b/i.test(header("accept") ?? "");
}

/** The sessions that a requirement found, by request. */
export class FoundSessions<Found> {
  readonly #found = new Note<Found>();

  put(request: object, session: Found): void {
    this.#found.set(request, session);
  }

  /** @throws SessionError ERR_SESSION_CONFIG if the requirement did not run for this request. */
  get(read: () => object): Found {
    const found = this.#found.get(readSafely("ERR_SESSION_CONFIG", "The argument of of(…)", read));
    if (found) return found;
    throw createConfigError("of(…) works only after requireSession: put that before this route");
  }
}
