/*
 * What sessions are over HTTP, under every framework and on every store (docs/design.md, "HTTP").
 * An adapter runs it in a test file of its own: see test/koa.test.ts.
 */
import type { StoreUnderTest } from "session-sets/testing";
import { onTestFinished } from "vitest";
import { type Adapter, type AppOptions, TestApp } from "./http-app.ts";
import { anonymous } from "./http-contract-anonymous.ts";
import { bearerGuard, bearers } from "./http-contract-bearer.ts";
import { besides } from "./http-contract-beside.ts";
import { caching } from "./http-contract-caching.ts";
import { cookieRenewal } from "./http-contract-cookie-renewal.ts";
import { cookies } from "./http-contract-cookies.ts";
import { copies } from "./http-contract-copies.ts";
import { credentials } from "./http-contract-credentials.ts";
import { csrf } from "./http-contract-csrf.ts";
import { ending } from "./http-contract-ending.ts";
import { errors } from "./http-contract-errors.ts";
import { foreignPages } from "./http-contract-foreign.ts";
import { givenTokens } from "./http-contract-given-tokens.ts";
import { guard } from "./http-contract-guard.ts";
import { handshakes } from "./http-contract-handshakes.ts";
import { identities } from "./http-contract-identity.ts";
import { leaving, unusedReads } from "./http-contract-leaving.ts";
import { oldTokens } from "./http-contract-old-tokens.ts";
import { orders } from "./http-contract-orders.ts";
import { outages } from "./http-contract-outages.ts";
import { ownRows } from "./http-contract-own-row.ts";
import { persistentCookies } from "./http-contract-persistent.ts";
import { readers } from "./http-contract-readers.ts";
import { renewal } from "./http-contract-renewal.ts";
import { repeatedCookies } from "./http-contract-repeated-cookies.ts";
import { sentCSRFTokens } from "./http-contract-sent-csrf.ts";
import { signIns } from "./http-contract-sign-in.ts";
import { signatures } from "./http-contract-signatures.ts";
import { twins } from "./http-contract-twins.ts";
import { verbs } from "./http-contract-verbs.ts";
import { firstVisits } from "./http-contract-visits.ts";

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
