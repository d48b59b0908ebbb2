/*
 * A run of tests prints a line for each file that has ended, with how many of all have, and one
 * every ten seconds in which none has. On a terminal vitest's own window shows the latter.
 */
import { relative } from "node:path";
import { DefaultReporter, type TestModule, type TestSpecification } from "vitest/node";
import { ROOT } from "./sources.ts";

const SILENCE = 10_000;

export default class Progress extends DefaultReporter {
  #total = 0;
  #ended = 0;
  #from = 0;
  readonly #running = new Set<TestModule>();
  #timer: NodeJS.Timeout | undefined;

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart(specifications);
    this.#total = specifications.length;
    this.#ended = 0;
    this.#from = Date.now();
    this.#running.clear();
    this.#wait();
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.add(module);
  }

  override onTestRunEnd(...run: Parameters<DefaultReporter["onTestRunEnd"]>): void {
    clearInterval(this.#timer);
    super.onTestRunEnd(...run);
  }

  protected override printTestModule(module: TestModule): void {
    this.#running.delete(module);
    this.#ended++;
    this.#wait();
    const tests = [...module.children.allTests()];
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    const many = `${tests.length} ${tests.length === 1 ? "test" : "tests"}, ${seconds} s`;
    this.log(`${this.#count()} ${this.getEntityPrefix(module)} ${toName(module)} (${many})`);
    for (const test of tests) {
      if (test.result().state === "failed") this.printTestCase(module.state(), test);
    }
  }

  #count(): string {
    const total = String(this.#total);
    return `[${String(this.#ended).padStart(total.length)}/${total}]`;
  }

  /** Tells what is under way where nothing else is told for a while. */
  #wait(): void {
    clearInterval(this.#timer);
    if (this.isTTY) return;
    this.#timer = setInterval(() => {
      const seconds = Math.round((Date.now() - this.#from) / 1000);
      const names = [...this.#running].map(toName).join(", ");
      this.log(`${this.#count()}   ${seconds} s, running: ${names || "no test yet"}`);
    }, SILENCE).unref();
  }
}

function toName({ moduleId }: TestModule): string {
  return relative(ROOT, moduleId);
}
