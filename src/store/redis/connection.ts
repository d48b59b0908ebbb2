/** What the store needs of a client: every kind of client is mapped to this by one thin file. */
export interface Connection {
  /**
   * Sends one command, to the node that has `key`, and resolves to its reply. Maps come back as
   * arrays of name, value, …; integers as numbers or their decimal text, as the client is set;
   * rejections are the client's own.
   */
  send(key: string, name: string, args: readonly string[]): Promise<unknown>;
}
