import { createConfigError, listOptionNames } from "../../shared/errors.ts";

/** For adapters whose framework has no such setting itself. */
export interface TrustProxyOption {
  /**
   * Whether X-Forwarded-Proto and X-Forwarded-Host are believed. Switch it on behind a proxy that
   * sets both, and nowhere else: anybody can send these headers.
   * @default false
   */
  trustProxy?: boolean;
}

/** The name of that option. */
export const TRUST_PROXY_OPTIONS = listOptionNames<TrustProxyOption>({ trustProxy: true });

/** How the client addressed the application. */
export interface Address {
  readonly secure: boolean;
  /** The host, with the port unless it is implied. */
  readonly host: string;
}

/** @throws SessionError ERR_SESSION_CONFIG where the option is neither true nor false. */
export function parseTrustProxy({ trustProxy = false }: TrustProxyOption): boolean {
  if (typeof trustProxy !== "boolean") {
    throw createConfigError("trustProxy must be true or false", { option: "trustProxy" });
  }
  return trustProxy;
}

/** How a request was addressed, which proxies in between tell in the first of their values. */
export function deriveAddress(
  own: Address,
  header: (name: string) => string | undefined,
  trustProxy: boolean,
): Address {
  if (!trustProxy) return own;
  const readFirst = (name: string) => header(name)?.split(",", 1)[0]?.trim() || undefined;
  const scheme = readFirst("x-forwarded-proto")?.toLowerCase();
  return {
    secure: scheme === undefined ? own.secure : scheme === "https",
    host: readFirst("x-forwarded-host") ?? own.host,
  };
}

/**
 * Whether the browser shows by its own headers that it is on HTTPS, where the framework was told of no
 * proxy. Anybody can send them: what goes by them may only be stricter.
 */
export function showsHTTPS(header: (name: string) => string | undefined): boolean {
  if (header("origin")?.startsWith("https://")) return true;
  // Fetch Metadata, section 2: it is sent to trustworthy addresses only, which this machine is over HTTP, too.
  const host = header("host");
  return header("sec-fetch-site") !== undefined && host !== undefined && !LOOPBACK.test(host);
}

/** Whether a proxy says so, which the framework was not told to believe. */
export function isForwardedAsHTTPS(header: (name: string) => string | undefined): boolean {
  return deriveAddress({ secure: false, host: "" }, header, true).secure;
}

const LOOPBACK = /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;
