/*
 * What the session of a request is, on every store (docs/design.md, "HTTP"). No framework has a say in
 * it, so it is run once, on an exchange without one. What a framework could break is in
 * test/support/http/framework/.
 */
import type { StoreUnderTest } from "session-sets/testing";
import { type AppOptions, type Host, TestApp } from "../app.ts";
import { anonymous } from "./anonymous.ts";
import { bearerGuard, bearers } from "./bearer.ts";
import { besides } from "./beside.ts";
import { caching } from "./caching.ts";
import { cookieRenewal } from "./cookie-renewal.ts";
import { cookies } from "./cookies.ts";
import { copies } from "./copies.ts";
import { credentials } from "./credentials.ts";
import { csrf } from "./csrf.ts";
import { ending } from "./ending.ts";
import { errors } from "./errors.ts";
import { foreignPages } from "./foreign.ts";
import { givenTokens } from "./given-tokens.ts";
import { guard } from "./guard.ts";
import { handshakes } from "./handshakes.ts";
import { identities } from "./identity.ts";
import { leaving, unusedReads } from "./leaving.ts";
import { limits } from "./limits.ts";
import { oldTokens } from "./old-tokens.ts";
import { outages } from "./outages.ts";
import { ownRows } from "./own-row.ts";
import { persistentCookies } from "./persistent.ts";
import { readers } from "./readers.ts";
import { renewal } from "./renewal.ts";
import { repeatedCookies } from "./repeated-cookies.ts";
import { sentCSRFTokens } from "./sent-csrf.ts";
import { signIns } from "./sign-in.ts";
import { signatures } from "./signatures.ts";
import { twins } from "./twins.ts";
import { verbs } from "./verbs.ts";
import { firstVisits } from "./visits.ts";

/** Starts an application for one test, on an empty store or on the one of another application. */
export type Start = (options?: AppOptions, beside?: TestApp) => Promise<TestApp>;

/**
 * Starts applications, mounted under `prefix`: "" for the root.
 *
 * @param atEnd takes what closes them.
 */
export function starter(
  host: Host,
  prefix: string,
  openStore: () => Promise<StoreUnderTest>,
  atEnd: (close: () => Promise<void>) => void,
): Start {
  return async (options = {}, beside) => {
    const under = beside?.under ?? (await openStore());
    const app = await TestApp.start(host, prefix, under, options);
    atEnd(async () => {
      await app.close();
      if (!beside) await under.close?.();
    });
    return app;
  };
}

/** Whether the store's clock can be moved by days, or goes as it goes. */
export type Clock = "moved" | "real";

/** What holds for every session of a request, on a store whose clock is such. */
export function sessionContract(start: Start, clock: Clock): void {
  anonymous(start);
  cookies(start);
  if (clock === "moved") cookieRenewal(start);
  persistentCookies(start);
  repeatedCookies(start);
  twins(start);
  signatures(start);
  verbs(start);
  signIns(start);
  limits(start);
  identities(start);
  besides(start);
  renewal(start);
  oldTokens(start);
  unusedReads(start, clock);
  ending(start);
  leaving(start);
  ownRows(start);
  copies(start);
  credentials(start);
  csrf(start);
  sentCSRFTokens(start);
  firstVisits(start);
  caching(start);
  foreignPages(start);
  guard(start);
  handshakes(start);
  bearers(start);
  bearerGuard(start);
  givenTokens(start);
  errors(start);
  readers(start);
  outages(start);
}
