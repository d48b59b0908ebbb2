import { clearTimeout, setTimeout } from "node:timers";

/** A wait that can be cut short. It keeps no process alive. */
export class Pause {
  #end: () => void = () => {};

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the wait that is under way, if any. */
  end(): void {
    this.#end();
  }
}
