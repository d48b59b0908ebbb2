/* A browser, as far as an application's pages need one: cookies, forms, redirections. */
import { CookieJar, parseSetCookie, type SetCookie } from "../http/cookie-jar.ts";

/** What a browser shows of an address. */
export interface Shown {
  readonly status: number;
  /** The path and query that it ended at. */
  readonly path: string;
  readonly text: string;
  /** The cookies that the last answer set. */
  readonly cookies: readonly SetCookie[];
}

export class Browser {
  readonly #address: string;
  readonly #headers: Record<string, string>;
  readonly jar = new CookieJar();

  /** @param address such as `http://localhost:3000`. The headers go with every request. */
  constructor(address: string, headers: Record<string, string> = {}) {
    this.#address = address;
    this.#headers = { accept: "text/html", ...headers };
  }

  /** A browser with a copy of this one's cookies, as a thief has it. */
  copy(): Browser {
    const thief = new Browser(this.#address, this.#headers);
    for (const [name, value] of this.jar.entries()) thief.jar.set(name, value);
    return thief;
  }

  get(path: string): Promise<Shown> {
    return this.#open(path, {});
  }

  post(path: string, form: Record<string, string> = {}, headers = {}): Promise<Shown> {
    return this.#open(path, { method: "POST", body: new URLSearchParams(form), headers });
  }

  async #open(path: string, init: RequestInit): Promise<Shown> {
    const url = new URL(path, this.#address);
    const cookie = url.origin === this.#address ? (this.jar.header ?? "") : "";
    const headers = { ...this.#headers, cookie, ...init.headers };
    const response = await fetch(url, { redirect: "manual", ...init, headers });
    const cookies = response.headers.getSetCookie();
    if (url.origin === this.#address) this.jar.take(cookies);
    const location = response.headers.get("location");
    if (location !== null) {
      await response.text();
      const shown = await this.#open(new URL(location, url).href, {});
      return { ...shown, cookies: [...cookies.map(parseSetCookie), ...shown.cookies] };
    }
    return {
      status: response.status,
      path: url.href.replace(this.#address, ""),
      text: await response.text(),
      cookies: cookies.map(parseSetCookie),
    };
  }
}
