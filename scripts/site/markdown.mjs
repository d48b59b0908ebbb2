// Makes the pages read the same here as on a code host: the same anchors, the same links.
import { readFileSync } from "node:fs";
import { posix } from "node:path";

const { repository } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);
/** Where the sources can be read. Without an address, a link to one of them is text. */
const SOURCES = repository?.url?.replace(/^git\+/, "").replace(/\.git$/, "/blob/HEAD/");

/** The anchor that code hosts give a heading. */
export function slugify(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
}

/** Where a link of a page leads on the site. Null if it leads to a source that has no address. */
export function resolveLink(page, href) {
  if (/^(?:[a-z][a-z0-9+.-]*:|[#/])/i.test(href)) return href;
  const [path = "", fragment] = href.split("#");
  const hash = fragment === undefined ? "" : `#${fragment}`;
  // The first page includes a part of the README, whose links begin in the folder above.
  const folder = page === "index.md" && path.startsWith("docs/") ? "" : "docs";
  const target = posix.join(folder, folder && posix.dirname(page), path);
  if (target === "README.md") return `/${hash}`;
  if (target.startsWith("docs/")) return `/${target.slice("docs/".length)}${hash}`;
  return SOURCES ? SOURCES + target + hash : null;
}

/** A plugin of markdown-it. */
export function likeCodeHosts(md) {
  md.core.ruler.push("links", ({ tokens, env }) => {
    for (const { children } of tokens) resolveLinks(children ?? [], env.relativePath);
  });
  // The comments say how tests run the code. They would be in the index of the search.
  md.core.ruler.push("comments", (state) => {
    state.tokens = state.tokens.filter(
      ({ type, content }) => type !== "html_block" || !content.startsWith("<!--"),
    );
  });
}

function resolveLinks(tokens, page) {
  let lost = false;
  for (const token of tokens) {
    if (token.type === "link_open") {
      const href = resolveLink(page, token.attrGet("href") ?? "");
      lost = href === null;
      if (href !== null) token.attrSet("href", href);
    }
    if (!lost || !token.type.startsWith("link_")) continue;
    if (token.type === "link_close") lost = false;
    Object.assign(token, { type: "html_inline", content: "" });
  }
}
