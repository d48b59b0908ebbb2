/*
 * What sessions are over HTTP, under every framework and on every store (docs/design.md, "HTTP").
 * An adapter runs it in a test file of its own: see test/http/adapters/koa.test.ts.
 */
import type { StoreUnderTest } from "session-sets/testing";
import { onTestFinished } from "vitest";
import { type Adapter, type AppOptions, TestApp } from "../app.ts";
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
import { oldTokens } from "./old-tokens.ts";
import { orders } from "./orders.ts";
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

/** Whether the store's clock can be moved by days, or goes as it goes. */
export type Clock = "moved" | "real";

/** How many of the orders of a sign-in and what runs beside it are tried, which takes the longest. */
export type Orders = "all" | "pairs" | "none";

/** An application is mounted under `prefix`: "" for the root. */
export function httpContract(
  adapter: Adapter,
  prefix: string,
  openStore: () => Promise<StoreUnderTest>,
  { clock, orders: tried }: { readonly clock: Clock; readonly orders: Orders },
): void {
  const start: Start = async (options = {}, beside) => {
    const under = beside?.under ?? (await openStore());
    const app = await TestApp.start(adapter, prefix, under, options);
    onTestFinished(async () => {
      await app.close();
      if (!beside) await under.close?.();
    });
    return app;
  };
  anonymous(start);
  cookies(start);
  if (clock === "moved") cookieRenewal(start);
  persistentCookies(start);
  repeatedCookies(start);
  twins(start);
  signatures(start);
  verbs(start);
  signIns(start);
  identities(start);
  besides(start);
  renewal(start);
  oldTokens(start);
  if (tried !== "none") orders(start, clock, tried);
  unusedReads(start, clock);
  ending(start);
  leaving(start);
  ownRows(start);
  copies(start);
  credentials(start);
  csrf(start);
  sentCSRFTokens(start, adapter);
  firstVisits(start);
  caching(start);
  foreignPages(start);
  guard(start);
  handshakes(start);
  bearers(start);
  bearerGuard(start);
  givenTokens(start);
  errors(start, adapter);
  readers(start, adapter);
  outages(start);
}
