/*
 * How stores save sessions as a whole, as connect-redis and the memory stores of the middlewares do:
 * a save writes all that the request has in memory, and makes what is not there. It is here to show
 * what that loses.
 */
import session from "express-session";

export class WholeSessions extends session.Store {
  readonly #kept = new Map<string, string>();

  get(sid: string, callback: (error: unknown, session?: session.SessionData | null) => void): void {
    const text = this.#kept.get(sid);
    setImmediate(() => callback(null, text === undefined ? null : JSON.parse(text)));
  }

  set(sid: string, data: object, callback: (error?: unknown) => void = () => {}): void {
    this.#kept.set(sid, JSON.stringify(data));
    setImmediate(callback);
  }

  destroy(sid: string, callback: (error?: unknown) => void = () => {}): void {
    this.#kept.delete(sid);
    setImmediate(callback);
  }
}
