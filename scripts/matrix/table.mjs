/* The cells of the matrix, its table, and the table's place on a page. */

const BEGIN = "<!-- test:matrix begin, written by `npm run test:matrix` -->";
const END = "<!-- test:matrix end -->";

/** Each server with the first Node, and each Node with the last server. */
export function listCells(servers, nodes) {
  const cells = servers.flatMap((server) => nodes.map((node) => ({ server, node })));
  const [first, last] = [nodes[0], servers.at(-1)];
  return cells.filter(({ server, node }) => server === last || node === first);
}

/** One line for each cell that ran, and for each server or Node that isn't available. */
export function formatTable(cells, missing) {
  const lines = ["| server | Node | passed | failed |", "| --- | --- | --- | --- |"];
  for (const { server, node, passed, failures } of cells) {
    lines.push(`| ${server} | ${node} | ${passed} | ${failures.length} |`);
  }
  for (const name of missing) lines.push(`| ${name} | not available, so not run | | |`);
  return lines.join("\n");
}

/** Puts a text between the two markers of a page. */
export function insertTable(page, text) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The page has no \`${BEGIN}\` and \`${END}\`.`);
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`;
}
