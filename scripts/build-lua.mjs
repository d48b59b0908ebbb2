// Writes src/store/redis/scripts.generated.ts from the Lua files beside it: each script with lib.lua
// before it, without comments. Run by `npm run lua`; a test checks that the two are in sync.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../src/store/redis/scripts/", import.meta.url);
const target = new URL("../src/store/redis/scripts.generated.ts", import.meta.url);

function lua(name) {
  const lines = readFileSync(new URL(name, folder), "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "" && !/^\s*--/.test(line)).join("\n");
}

export function generate() {
  const names = readdirSync(folder).filter((name) => name.endsWith(".lua") && name !== "lib.lua");
  // Dragonfly asks for this flag where keys are computed; for Redis and Valkey it is a comment.
  const lib = `--!df flags=allow-undeclared-keys\n${lua("lib.lua")}`;
  const sources = names.sort().map((name) => {
    const key = name.replace(/\.lua$/, "").replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    return `  ${key}: \`\${lib}\n${lua(name).replace(/[\\`$]/g, "\\$&")}\n\`,`;
  });
  return `// Generated from src/store/redis/scripts/*.lua by scripts/build-lua.mjs: change those and run \`npm run lua\`.

const lib = \`${lib.replace(/[\\`$]/g, "\\$&")}\`;

export const sources = {
${sources.join("\n")}
};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, generate());
