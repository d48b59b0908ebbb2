/** What sessions use of a Request (WHATWG Fetch). */
export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: RequestHeaders;
}

/** What sessions use of a Response (WHATWG Fetch). */
export interface FetchResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers: ResponseHeaders;
}

/** What sessions use of a Request's Headers. */
export interface RequestHeaders {
  /** The value of a header, or null. */
  get(name: string): string | null;
}

/** What sessions use of a Response's Headers. */
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

/** A Response of the platform, where the program knows of its type. */
export type PlatformResponse = typeof globalThis extends { Response: { prototype: infer Type } }
  ? Type
  : FetchResponse;
