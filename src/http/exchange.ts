/** One request and its response, as an adapter shows them to the session of the request. */
export interface Exchange {
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  /** Whether the response's headers are on their way, so that no cookie can be set any more. */
  readonly headersSent: boolean;
  /** A request's header; the name is in lower case. */
  requestHeader(name: string): string | undefined;
  /** What the response's header of this name is going to be; the name is in lower case. */
  responseHeader(name: string): string | readonly string[] | undefined;
  setResponseHeader(name: string, value: string | readonly string[]): void;
}
