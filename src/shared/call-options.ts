import { createConfigError } from "./errors.ts";
import { pickGiven, readSafely } from "./given.ts";

/** An unknown name that a message may show: a word. Anything else may be a token. */
const WORD = /^[a-z]\w{0,18}$/i;

/**
 * Reads the one object of options that a call takes, once. Anything else is refused, and so are unknown
 * names: a sign-out with a misspelt option would silently end nothing.
 *
 * No value is quoted, because it may be a token, or an id that is as good as one.
 *
 * @throws SessionError ERR_SESSION_CONFIG
 */
export function readCallOptions<Options extends object>(
  call: string,
  options: Options,
  known: readonly string[],
): Options {
  return readSafely("ERR_SESSION_CONFIG", `An option of ${call}`, () => {
    if (typeof options !== "object" || options === null) {
      throw createConfigError(
        `${call} takes one object of options: ${call}({ ${known.join(", ")} })`,
      );
    }
    for (const name of Object.keys(options)) {
      if (known.includes(name)) continue;
      const isWord = WORD.test(name);
      const shown = isWord ? `option "${name}"` : "such option";
      throw createConfigError(
        `${call} has no ${shown}; its options are ${known.join(", ")}`,
        isWord ? { option: name } : {},
      );
    }
    return pickGiven(options, known);
  });
}
