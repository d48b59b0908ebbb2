/* The cells of the matrix, its table, and the table's place in the README. */

const BEGIN = "<!-- test:matrix begin, written by `npm run test:matrix` -->";
const END = "<!-- test:matrix end -->";

/** Each server with the first Node, and each Node with the last server. */
export function cellsOf(servers, nodes) {
  const cells = servers.flatMap((server) => nodes.map((node) => ({ server, node })));
  const [first, last] = [nodes[0], servers.at(-1)];
  return cells.filter(({ server, node }) => server === last || node === first);
}

/** A line a cell that was run, and one for each server or Node that could not be had. */
export function table(cells, missing) {
  const lines = ["| server | Node | passed | failed |", "| --- | --- | --- | --- |"];
  for (const { server, node, passed, failures } of cells) {
    lines.push(`| ${server} | ${node} | ${passed} | ${failures.length} |`);
  }
  for (const name of missing) lines.push(`| ${name} | could not be had, so not run | | |`);
  return lines.join("\n");
}

/** The README with this text between the two markers. */
export function placeIn(readme, text) {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The README has no \`${BEGIN}\` and \`${END}\`.`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${text}\n${readme.slice(end)}`;
}
