/* The links and images of Markdown files, so that a test can follow them. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { listHeadings, withoutFences } from "./pages.ts";

/** The targets of all links and images of a Markdown file that lead to a place in the project. */
export function localLinks(markdown: string): string[] {
  const text = withoutCode(markdown);
  const patterns = [
    /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g, // [text](target "title"), ![text](target)
    /^\s*\[[^\]]+\]:\s*<?([^\s>]+)>?/gm, // [name]: target
    /\b(?:href|src|srcset)="([^"\s]+)/g, // <img src="target">
  ];
  return patterns
    .flatMap((pattern) => Array.from(text.matchAll(pattern), ([, target = ""]) => target))
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** The fault of a link of a file, or undefined. `read` gives the text of a Markdown file. */
export function findLinkFault(
  root: string,
  file: string,
  target: string,
  read: (path: string) => string,
): string | undefined {
  const [path = "", fragment] = target.split("#");
  if (path.startsWith("/")) return "begins with a slash, which leads to another place on each host";
  const linked = path === "" ? file : join(dirname(file), decodeURIComponent(path));
  if (!existsSync(join(root, linked))) return `leads to ${linked}, which does not exist`;
  if (!fragment || !linked.endsWith(".md") || statSync(join(root, linked)).isDirectory()) {
    return undefined;
  }
  return anchors(read(linked)).has(fragment)
    ? undefined
    : `leads to #${fragment}, and ${linked} has no such heading`;
}

/** The names that code hosts give to headings, and those that the file gives itself. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const heading of listHeadings(markdown)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let count = 1; found.has(name); count++) name = `${slug}-${count}`;
    found.add(name);
  }
  for (const [, id = ""] of markdown.matchAll(/<\w+[^>]*\s(?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
}
