/** The parts of a Request that sessions use (WHATWG Fetch). */
export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: RequestHeaders;
}

/** The parts of a Response that sessions use (WHATWG Fetch). */
export interface FetchResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers: ResponseHeaders;
}

/** The parts of a Request's Headers that sessions use. */
export interface RequestHeaders {
  /** The value of a header, or null. */
  get(name: string): string | null;
}

/** The parts of a Response's Headers that sessions use. */
export interface ResponseHeaders extends RequestHeaders {
  /** The values of all Set-Cookie headers. */
  getSetCookie(): string[];
  /** Adds a value. */
  append(name: string, value: string): void;
  /** Replaces all values. */
  set(name: string, value: string): void;
  /** Removes all values. */
  delete(name: string): void;
}

/** The platform's Response, if the program knows its type. */
export type PlatformResponse = typeof globalThis extends { Response: { prototype: infer Type } }
  ? Type
  : FetchResponse;
