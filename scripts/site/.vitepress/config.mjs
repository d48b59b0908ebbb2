// The documentation's site: the pages of docs/, and the reference that typedoc makes in docs/api.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { sep } from "node:path";
import { defineConfig } from "vitepress";
import { findDeadLinks } from "../dead-links.mjs";
import { writeForMachines } from "../for-machines.mjs";
import { likeCodeHosts, slugify } from "../markdown.mjs";
import { listRooms } from "../rooms.mjs";

const { name, description, exports } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

const rooms = listRooms().map(({ room, pages }) => ({
  text: room,
  items: pages.map(({ page, title }) => ({
    text: title,
    link: `/${page.replace(/(?:^|\/)index$/, "/")}`,
  })),
}));

const reference = Object.keys(exports)
  .filter((name) => name !== "./package.json")
  .map((name) => `session-sets${name.slice(1)}`);

/** The files of a built site, with the text of each page. */
function readSite(folder) {
  const paths = readdirSync(folder, { recursive: true });
  const files = paths.filter((path) => statSync(`${folder}/${path}`).isFile());
  return new Map(
    files.map((path) => [
      path.replaceAll(sep, "/"),
      path.endsWith(".html") ? readFileSync(`${folder}/${path}`, "utf8") : null,
    ]),
  );
}

export default defineConfig({
  title: name,
  description,
  lang: "en",
  srcDir: "../../docs",
  outDir: "../../.cache/site",
  cacheDir: "../../.cache/vitepress",
  head: [["link", { rel: "icon", type: "image/svg+xml", href: "/logo.svg" }]],
  vite: { build: { chunkSizeWarningLimit: 2000 } }, // in kB: the index of the search is one
  markdown: {
    anchor: { slugify },
    config: (md) => md.use(likeCodeHosts),
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  // VitePress itself looks at pages only, not at places in them, nor at the sidebar.
  buildEnd({ outDir }) {
    writeForMachines(outDir, { name, description });
    const dead = findDeadLinks(readSite(outDir));
    if (dead.length > 0) throw new Error(`Links that lead nowhere:\n${dead.join("\n")}`);
  },
  themeConfig: {
    logo: "/logo.svg",
    footer: {
      message:
        'For programs: <a href="/llms.txt">llms.txt</a>, <a href="/llms-full.txt">llms-full.txt</a>, <a href="/SKILL.md">a skill</a>',
    },
    search: {
      provider: "local",
      options: {
        // A reader looks for a page first, then for its reference, and for the reasons last.
        miniSearch: {
          searchOptions: { boostDocument: (id) => (/^\/(?:api|design)/.test(id) ? 0.2 : 1) },
        },
      },
    },
    outline: { level: [2, 3] },
    nav: [
      { text: "Guide", link: "/getting-started" },
      { text: "Migrating", link: "/migrate/" },
      { text: "Reference", link: "/api/" },
    ],
    sidebar: [
      ...rooms,
      {
        text: "Reference",
        collapsed: true,
        items: reference.map((text) => ({ text, link: `/api/${text}` })),
      },
    ],
    docFooter: { prev: "Before", next: "Next" },
  },
});
