/* The build of the Lua scripts. Plain Node runs it, so it is JavaScript. */
declare module "*/scripts/build-lua.mjs" {
  /** A line of a Lua file that holds code. */
  export interface SourceLine {
    readonly file: string;
    /** From 1. */
    readonly line: number;
    readonly code: string;
  }

  /** One `local` of an include. */
  export interface Definition {
    readonly name: string;
    readonly lines: readonly SourceLine[];
  }

  export interface LinkedScript {
    readonly file: string;
    /** The text that servers get. */
    readonly text: string;
    /** The helpers and the script's own lines in it, in their order. */
    readonly parts: readonly (Definition | SourceLine)[];
    /** The origin of each line of the text; null for the line of flags. */
    readonly origins: readonly (SourceLine | null)[];
  }

  type LuaFile = readonly [file: string, text: string];

  export function linkScripts(
    scripts: readonly LuaFile[],
    includes: readonly LuaFile[],
  ): LinkedScript[];

  export function buildScripts(): (LinkedScript & { readonly name: string })[];

  export function writeScripts(): void;
}
