// The pages as plain Markdown, for programs that read: llms.txt names them, llms-full.txt has them all.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { resolveLink } from "./markdown.mjs";
import { DOCS, listRooms } from "./rooms.mjs";

const ROOT = new URL("../../", import.meta.url);

/** A part of a text between fences of code, and the fences, in turn. */
const splitFences = (text) => text.split(/^(```[\s\S]*?^```$)/m);

/**
 * The text of a page as a reader sees it: without what tests need to run its code, and with links that begin
 * at the root of the site.
 *
 * @param {string} file such as `frameworks/koa.md`.
 */
export function plainPage(file, text) {
  return splitFences(text.replace(/^<!-- docs:[\s\S]*?-->\n/gm, ""))
    .map((part) => (part.startsWith("```") ? part : resolveLinks(file, part)))
    .join("")
    .trim();
}

function resolveLinks(file, text) {
  return text.replace(
    /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g,
    (link, mark, label, href) => {
      if (mark) return link;
      const target = resolveLink(file, href);
      return target === null ? label : `[${label}](${target})`;
    },
  );
}

/** The first sentence of a page's own prose. */
export function firstSentence(text) {
  const prose = splitFences(text)
    .filter((part) => !part.startsWith("```"))
    .join("\n")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .find((paragraph) => paragraph !== "" && !/^(?:[#|<>!-]|\d+\. )/.test(paragraph));
  const plain = prose
    ?.replace(/\s+/g, " ")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("**", "");
  const [sentence = plain] = /^(?:`[^`]*`|[^`])*?[.:](?= |$)/.exec(plain ?? "") ?? [];
  if (!sentence) throw new Error(`A page has no sentence:\n${text.slice(0, 200)}`);
  return sentence.replace(/:$/, ".");
}

/** Writes llms.txt, llms-full.txt, the skill and each page as Markdown into a built site. */
export function writeForMachines(folder, { name, description }) {
  const rooms = listRooms().map(({ room, pages }) => ({
    room,
    pages: pages.map(({ page, title }) => {
      const file = `${page}.md`;
      const text = plainPage(file, readFileSync(new URL(file, DOCS), "utf8"));
      return { file, title, text };
    }),
  }));
  const pages = rooms.flatMap((room) => room.pages);
  const skill = readFileSync(new URL("skills/session-sets/SKILL.md", ROOT), "utf8");
  const index = [
    `# ${name}`,
    `> ${description}`,
    "All pages in one file: [llms-full.txt](/llms-full.txt). How to add it to an app, step by step: [SKILL.md](/SKILL.md).",
    ...rooms.flatMap(({ room, pages }) => [
      `## ${room}`,
      pages
        .map(({ file, title, text }) => `- [${title}](/${file}): ${firstSentence(text)}`)
        .join("\n"),
    ]),
  ];
  const write = (file, text) => {
    const path = `${folder}/${file}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  };
  write("llms.txt", index.join("\n\n"));
  write(
    "llms-full.txt",
    [`# ${name}\n\n> ${description}`, ...pages.map(({ text }) => text)].join("\n\n"),
  );
  write("SKILL.md", plainPage("", skill));
  for (const { file, text } of pages) write(file, text);
}
