/* The scripts that tests use. Plain Node 20 runs them, so they are JavaScript. */
declare module "*/scripts/programs.mjs" {
  export interface Program {
    /** Its name in messages. */
    readonly what: string;
    /** The environment variable that names the program, which is then the only candidate. */
    readonly variable: string;
    /** Names to look for in PATH, and absolute paths, the best one first. */
    readonly candidates: readonly string[];
    /** The packages to install if none is found; null if a package manager has none. */
    readonly packages: {
      readonly apt: readonly string[] | null;
      readonly brew: readonly string[] | null;
    };
  }
  export const REDIS_SERVER: Program;
  export function provideProgram(program: Program): string;
}

declare module "*/scripts/installing.mjs" {
  export function announceInstall(installation: {
    readonly what: string;
    readonly how: string;
    readonly missing: string;
    readonly advice: string;
  }): void;
}
