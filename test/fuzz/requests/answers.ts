/* Rules for every answer to a request, whatever the request brings. */
import { parseSetCookie, type SetCookie } from "../../support/http/cookie-jar.ts";
import type { Response } from "./wire.ts";

/** The expectations of an answer. */
export interface AnswerRules {
  /** Secrets that only a cookie of the client that sent them may hold. */
  readonly secrets: Iterable<string>;
  /** How the names of the cookies begin that the application may set. */
  readonly cookies: readonly string[];
  /** All that the client sent. */
  readonly sent: string;
  /** Whether anything has told the application of an error. */
  readonly hasError: boolean;
}

export function setCookiesIn({ headers }: Response): SetCookie[] {
  return headers.filter(([name]) => name === "set-cookie").map(([, text]) => parseSetCookie(text));
}

export function findAnswerFaults(answer: Response, rules: AnswerRules): string[] {
  const { secrets, cookies, sent, hasError } = rules;
  const set = setCookiesIn(answer);
  const rest = answer.headers.filter(([name]) => name !== "set-cookie");
  const shown = `${JSON.stringify(rest)} ${answer.body}`;
  const known = [...secrets];
  return [
    ...known
      .filter((secret) => shown.includes(secret))
      .map((secret) => `leak: the answer holds ${secret}: ${shown}`),
    ...known
      .filter((secret) => !sent.includes(secret))
      .filter((secret) => set.some(({ value }) => value.includes(secret)))
      .map((secret) => `leak: a cookie brings ${secret}, which the client did not send`),
    ...set
      .filter(({ name }) => !cookies.some((one) => name.startsWith(one)))
      .map(({ name }) => `foreign cookie: the answer sets ${JSON.stringify(name)}`),
    ...(answer.status >= 500 && !hasError ? [`silent: ${answer.status}, and no error`] : []),
  ];
}
