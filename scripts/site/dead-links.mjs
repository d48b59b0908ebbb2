// The links of built pages that lead nowhere, to a page or to a place in one.
import { posix } from "node:path";

const ENTITIES = { "&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">" };

const decode = (text) => text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => ENTITIES[entity]);

const matchAll = (html, pattern) =>
  Array.from(html.matchAll(pattern), ([, value]) => decode(value));

/**
 * @param {ReadonlyMap<string, string | null>} files by their path in the site, such as `api/index.html`;
 *   the text of a page, and null for another file.
 * @returns {string[]} such as `errors.html: /limits.html#nowhere`.
 */
export function findDeadLinks(files) {
  const pages = [...files].filter(([, html]) => html !== null);
  const ids = new Map(
    pages.map(([path, html]) => [path, new Set(matchAll(html, /\sid="([^"]*)"/g))]),
  );
  return pages.flatMap(([page, html]) => {
    const links = new Set(matchAll(html, /<[a-z][^>]*?\s(?:href|src)="([^"]*)"/g));
    return [...links].filter((link) => isDead(link, page)).map((link) => `${page}: ${link}`);
  });

  function isDead(link, page) {
    if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return false;
    const { pathname, hash } = new URL(link, `site:///${page}`);
    const path = decodeURI(pathname).slice(1);
    const names = [path, posix.join(path, "index.html"), `${path}.html`];
    const file = names.find((name) => files.has(name));
    if (file === undefined) return true;
    return hash !== "" && !ids.get(file)?.has(decodeURIComponent(hash.slice(1)));
  }
}
