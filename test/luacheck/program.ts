import { type Program, provideProgram } from "../../scripts/programs.mjs";

const LUACHECK: Program = {
  what: "luacheck",
  variable: "LUACHECK_BIN",
  candidates: ["luacheck"],
  packages: { apt: ["lua-check"], brew: ["luacheck"] },
};

/** The path of luacheck, which is installed first where it is missing. */
export function provideLuacheck(): string {
  return provideProgram(LUACHECK);
}
