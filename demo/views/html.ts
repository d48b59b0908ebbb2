/** A piece of HTML in which all inserted texts are escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value to insert. Text is escaped, `Html` is not, an array is joined. False, null and undefined are left out. */
export type Part = string | number | Html | false | null | undefined | readonly Part[];

/** A template tag: html`<p>${anything}</p>` escapes each value that isn't `Html`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(render)));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join("");
  if (part === false || part === null || part === undefined) return "";
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
