/* Faults of adapters and of what they share, each with the case of the contract that must find it. */
import type { Edit } from "../../../proofs/mutated-sources.ts";

export type AdapterName = "koa" | "express" | "fastify" | "hono" | "node" | "fetch";

export interface Mutation {
  /** Its path, from the root of the project. */
  readonly file: string;
  /** What is wrong. */
  readonly about: string;
  readonly edits: readonly Edit[];
  /** The case that finds it: a part of its name that no other has. */
  readonly foundBy: string;
  /** The adapters that it is tried under. */
  readonly under: readonly AdapterName[];
}

/** The cases, by what mutations call them. */
const CASE = {
  smoke: "is made, read, changed, renewed and ended",
  same: "is the same object with and without the middleware",
  options: "goes by the options of the cookie",
  keys: "goes by the keys that cookies are signed with",
  secure: "makes the cookie Secure when it is",
  form: "finds the token in the form",
  header: "finds the token in the header",
  ownCookies: "keeps the application's own cookies",
  once: "sets it once, however often it changes",
  takenBack: "takes the cookie of a form back",
  twin: "expires its twin of this host alone",
  errors: "still sends the new cookie, uncached: an error with a status",
  ownErrors: "sends it also where the application answers the error",
  signedIn: "lets a user in, and gives the session",
  nobody: "answers everybody else with 401",
  pages: "sends pages to sign in",
  clearSiteData: "names what the browser is to throw away",
  headSent: "what would set a cookie is ERR_COOKIE",
  noStore: "is stored by no cache, whatever the application says: set",
  cacheable: "is cached as the application says under cacheable: true",
  private: "is private, and depends on the cookie, unless",
  vary: "keeps what it depends on besides",
  methods: "goes by Sec-Fetch-Site, for every method",
  host: "goes by Origin and the host with its port",
  proxiedHost: "knows its own host behind a proxy",
  overHTTP: "takes a page over HTTP for another origin",
  setting: "names the framework's setting of proxies",
  origins: "lets in the origins on its list",
  exempt: "is exempt where it is told so, by what",
  bearer: "lets a request pass whose session is by a bearer token",
  safe: "lets safe methods pass from everywhere",
  handshake: "compares Origin as for a POST",
  foreign: "gets nothing by any method",
} as const;

/** What calls nothing, in the place of a function. */
export const NOTHING = "((..._: unknown[]) => {})(";

/** Faults of an adapter's own file. */
export function of(
  name: AdapterName,
  list: readonly (readonly [about: string, foundBy: keyof typeof CASE, ...edit: Edit])[],
): Mutation[] {
  return shared(`adapters/${name}.ts`, [name], list);
}

/** Faults of a file of src/ that several adapters import. */
export function shared(
  file: string,
  under: readonly AdapterName[],
  list: readonly (readonly [about: string, foundBy: keyof typeof CASE, ...edit: Edit])[],
): Mutation[] {
  return list.map(([about, foundBy, ...edit]) => ({
    file: `src/${file}`,
    about,
    edits: [edit],
    foundBy: CASE[foundBy],
    under,
  }));
}

/** Those whose exchange is node:http's. */
export const NODES = ["koa", "express", "fastify", "node"] as const;
/** Those whose exchange is a Request and a Response. */
export const FETCHES = ["hono", "fetch"] as const;
/** All of them. */
export const ALL = [...NODES, ...FETCHES] as const;
