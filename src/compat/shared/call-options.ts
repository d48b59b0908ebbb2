import { misconfigured } from "../../shared/errors.ts";

/** What is shown of a name that a call does not know: a word. Anything else may be a token. */
const WORD = /^[a-z]\w{0,28}$/i;

/**
 * Refuses whatever is not the one object of options that a call takes, and names that do not exist:
 * a sign-out with a misspelt option would end nothing, and say so to nobody.
 *
 * No value is quoted, because a token, or an id that is as good as one, may stand in its place.
 *
 * @throws SessionError ERR_SESSION_CONFIG
 */
export function checkOptions(call: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw misconfigured(`The options of ${call} are one object: ${call}({ ${known.join(", ")} })`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const isWord = WORD.test(name);
    const shown = isWord ? `option "${name}"` : "such option";
    throw misconfigured(
      `${call} has no ${shown}; its options are ${known.join(", ")}`,
      isWord ? { option: name } : {},
    );
  }
}
