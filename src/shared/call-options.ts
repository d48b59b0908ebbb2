import { createConfigError } from "./errors.ts";
import { pickGiven, readSafely } from "./given.ts";

/** What is shown of a name that a call does not know: a word. Anything else may be a token. */
const WORD = /^[a-z]\w{0,18}$/i;

/**
 * The one object of options that a call takes, read once. Refuses whatever is none, and names that do
 * not exist: a sign-out with a misspelt option would end nothing, and say so to nobody.
 *
 * No value is quoted, because a token, or an id that is as good as one, may stand in its place.
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
        `The options of ${call} are one object: ${call}({ ${known.join(", ")} })`,
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
