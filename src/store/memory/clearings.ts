import type { FieldReferences, Reference } from "../contract.ts";
import { AS_OF_MARGIN_MS, CLEAR_MEMORY_MS } from "../entering.ts";

/** Remembers for an hour when sets were cleared. */
export class Clearings {
  readonly #now: () => number;
  readonly #most: number;
  /** The moments by set, the longest ago first. */
  readonly #moments = new Map<string, number>();
  /** What was cleared up to this moment may be forgotten, so all sets count as cleared then. */
  #forgotten = Number.NEGATIVE_INFINITY;

  /** @param most how many sets are remembered. */
  constructor(now: () => number, most: number) {
    this.#now = now;
    this.#most = most;
  }

  add({ field, text }: Pick<Reference, "field" | "text">): void {
    const now = this.#now();
    const name = nameSet(field, text);
    this.#moments.delete(name);
    this.#moments.set(name, now);
    for (const [oldest, moment] of this.#moments) {
      const isOver = moment < now - CLEAR_MEMORY_MS;
      if (!isOver && this.#moments.size <= this.#most) break;
      this.#forgotten = moment;
      this.#moments.delete(oldest);
    }
  }

  /** Whether one of the sets was cleared since `asOf`, or that can't be told any more. */
  wasCleared(asOf: number | undefined, references: readonly FieldReferences[]): boolean {
    if (asOf === undefined) return false;
    const now = this.#now();
    const moment = Math.min(asOf, now) - AS_OF_MARGIN_MS;
    if (moment < now - CLEAR_MEMORY_MS || moment <= this.#forgotten) return true;
    return references.some(({ field, texts }) =>
      texts.some((text) => (this.#moments.get(nameSet(field, text)) ?? -1) >= moment),
    );
  }

  clear(): void {
    this.#moments.clear();
    this.#forgotten = Number.NEGATIVE_INFINITY;
  }
}

function nameSet(field: string, text: string): string {
  return JSON.stringify([field, text]);
}
