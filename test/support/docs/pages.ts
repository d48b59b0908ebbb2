/* The headings and blocks of a Markdown page, for tests that compare it with the code. */

/** The headings of a page, without their marks. */
export function listHeadings(page: string): string[] {
  return Array.from(
    withoutFences(page).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm),
    ([, text = ""]) => text,
  );
}

/** The text under a heading, with smaller headings. Throws if there is none of that name. */
export function findSection(page: string, heading: string): string {
  const lines = page.split("\n");
  const level = (line: string) => /^(#{1,6})\s/.exec(line)?.[1]?.length ?? 0;
  const start = lines.findIndex(
    (line) => level(line) > 0 && line.replace(/^#+\s+/, "") === heading,
  );
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const rank = level(lines[start] ?? "");
  let fenced = false;
  const length = lines.slice(start + 1).findIndex((line) => {
    if (/^\s*```/.test(line)) fenced = !fenced;
    return !fenced && level(line) > 0 && level(line) <= rank;
  });
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** The blocks of code in one language, such as "json". */
export function listBlocks(page: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return Array.from(page.matchAll(pattern), ([, code = ""]) => code);
}

/** A page without its blocks of code. */
export function withoutFences(page: string): string {
  return page.replace(/^(\s*)(`{3,}|~{3,})[\s\S]*?^\s*\2\s*$/gm, "");
}
