/* Cases of a contract, which either become tests, or are run by a test that has planted a fault in a source. */

type Case = () => Promise<void>;

/** Where cases go: vitest's own functions, or a list. */
export interface Define {
  readonly describe: (about: string, define: () => void) => void;
  readonly test: (name: string, run: Case) => void;
}

/** The cases that are defined, by their whole names. */
export function listCases(define: (by: Define) => void): ReadonlyMap<string, Case> {
  const cases = new Map<string, Case>();
  const groups: string[] = [];
  define({
    describe(about, within) {
      groups.push(about);
      within();
      groups.pop();
    },
    test(name, run) {
      const whole = [...groups, name].join(" ");
      if (cases.has(whole)) throw new Error(`Two cases are called: ${whole}`);
      cases.set(whole, run);
    },
  });
  return cases;
}
