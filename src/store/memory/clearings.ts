import type { FieldReferences, Reference } from "../contract.ts";
import { AS_OF_MARGIN_MS, CLEAR_MEMORY_MS } from "../entering.ts";

/** When sets were cleared, for as long as a login may go by what was read before. */
export class Clearings {
  readonly #now: () => number;
  /** By the set, the longest ago first. */
  readonly #moments = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add({ field, text }: Pick<Reference, "field" | "text">): void {
    const now = this.#now();
    const name = nameSet(field, text);
    this.#moments.delete(name);
    this.#moments.set(name, now);
    for (const [oldest, moment] of this.#moments) {
      if (moment >= now - CLEAR_MEMORY_MS) break;
      this.#moments.delete(oldest);
    }
  }

  /** Whether one of the sets was cleared since `asOf`, or that is too long ago to tell. */
  wasCleared(asOf: number | undefined, references: readonly FieldReferences[]): boolean {
    if (asOf === undefined) return false;
    const now = this.#now();
    const moment = Math.min(asOf, now) - AS_OF_MARGIN_MS;
    if (moment < now - CLEAR_MEMORY_MS) return true;
    return references.some(({ field, texts }) =>
      texts.some((text) => (this.#moments.get(nameSet(field, text)) ?? -1) >= moment),
    );
  }

  clear(): void {
    this.#moments.clear();
  }
}

function nameSet(field: string, text: string): string {
  return JSON.stringify([field, text]);
}
