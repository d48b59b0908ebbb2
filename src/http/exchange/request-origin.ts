import { createConfigError, listOptionNames } from "../../shared/errors.ts";

/** The option of adapters whose framework has no setting for proxies. */
export interface TrustProxyOption {
  /**
   * Whether to trust X-Forwarded-Proto and X-Forwarded-Host. Switch it on behind a proxy that sets both,
   * and nowhere else: any client can send these headers.
   * @default false
   */
  trustProxy?: boolean;
}

export const TRUST_PROXY_OPTIONS = listOptionNames<TrustProxyOption>({ trustProxy: true });
/** How that option is set, for messages. */
export const TRUST_PROXY_SETTING = "trustProxy: true";

/** How the client addressed the application. */
export interface Address {
  readonly secure: boolean;
  /** The host, with its port unless that is implied. */
  readonly host: string;
}

/** @throws SessionError ERR_SESSION_CONFIG if the option is neither true nor false. */
export function parseTrustProxy({ trustProxy = false }: TrustProxyOption): boolean {
  if (typeof trustProxy !== "boolean") {
    throw createConfigError("trustProxy must be true or false", { option: "trustProxy" });
  }
  return trustProxy;
}

/** Derives how a request was addressed. Trusted proxies tell it in the first value of their headers. */
export function deriveAddress(
  own: Address,
  header: (name: string) => string | undefined,
  { trustProxy }: { readonly trustProxy: boolean },
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
 * Whether the browser's own headers show that it is on HTTPS, although the framework was not told of a
 * proxy. Any client can send these headers, so they may only make the library stricter.
 */
export function showsHTTPS(header: (name: string) => string | undefined): boolean {
  if (header("origin")?.startsWith("https://")) return true;
  // Fetch Metadata, section 2: browsers send Sec-Fetch-Site to trustworthy addresses only. Those of this
  // machine are trustworthy over HTTP, too.
  const host = header("host");
  return (
    header("sec-fetch-site") !== undefined && host !== undefined && !LOOPBACK_PATTERN.test(host)
  );
}

/** Whether a proxy that the framework does not trust says that the browser is on HTTPS. */
export function isForwardedAsHTTPS(header: (name: string) => string | undefined): boolean {
  return deriveAddress({ secure: false, host: "" }, header, { trustProxy: true }).secure;
}

const LOOPBACK_PATTERN = /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;
