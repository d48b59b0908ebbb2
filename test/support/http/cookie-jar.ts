/* A browser's cookies for one host: what the Set-Cookie headers that it took have made of them. */

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** By their names in lower case; what has no value is "". */
  readonly attributes: { readonly [name: string]: string };
}

export function parseSetCookie(header: string): SetCookie {
  const [[name, value], ...attributes] = header.split(/; */).map(parsePair) as [Pair, ...Pair[]];
  return {
    name,
    value,
    attributes: Object.fromEntries(attributes.map(([key, text]) => [key.toLowerCase(), text])),
  };
}

export class CookieJar {
  readonly #values = new Map<string, string>();

  /** Does what a response's Set-Cookie headers say, in their order. */
  take(setCookies: readonly string[]): void {
    for (const { name, value, attributes } of setCookies.map(parseSetCookie)) {
      const expires = Date.parse(attributes.expires ?? "");
      if (attributes["max-age"] === "0" || expires < Date.now()) this.#values.delete(name);
      else this.#values.set(name, value);
    }
  }

  /** All of them, in the order in which they came. */
  entries(): [name: string, value: string][] {
    return [...this.#values];
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** The Cookie header of the next request. */
  get header(): string | undefined {
    if (this.#values.size === 0) return undefined;
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

type Pair = [name: string, value: string];

function parsePair(text: string): Pair {
  const at = text.indexOf("=");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
