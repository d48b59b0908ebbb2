/* The build of the Lua scripts, which plain Node runs, and so is JavaScript. */
declare module "*/scripts/build-lua.mjs" {
  /** A line of a Lua file that holds code. */
  export interface SourceLine {
    readonly file: string;
    /** From 1. */
    readonly line: number;
    readonly code: string;
  }

  /** What an include defines by one `local`. */
  export interface Definition {
    readonly name: string;
    readonly lines: readonly SourceLine[];
  }

  export interface LinkedScript {
    readonly file: string;
    /** What is sent to servers. */
    readonly text: string;
    /** The definitions in it, in their order. */
    readonly helpers: readonly Definition[];
    /** Where each line of the text comes from; null: from nowhere. */
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
