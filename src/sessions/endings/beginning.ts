import type { FeedEvent } from "../../store/feed.ts";
import { type ToldEnding, toEndings } from "./ending.ts";

/**
 * What is told of a shard while a watch begins: after it was subscribed to, and before the session was
 * found. The session's lineage is not known yet, so all is kept.
 */
export class Beginning {
  /** The name that was given: an id or a lineage. */
  readonly #name: string;
  /** The endings by lineage. */
  readonly #endings = new Map<string, ToldEnding>();
  /** The lineages of the sessions that were rotated, by the ids they had. */
  readonly #lineages = new Map<string, string>();
  /** Whether something may have been missed. */
  hasGap = false;
  /** Whether nobody wants to know any more. */
  isOver = false;

  constructor(name: string) {
    this.#name = name;
  }

  note(event: FeedEvent): void {
    if (event.type === "rotated") {
      this.#lineages.set(event.from, event.lineage);
      return;
    }
    for (const ending of toEndings(event)) {
      this.#endings.set(ending.lineage, ending);
      this.#lineages.set(ending.id, ending.lineage);
    }
  }

  /** The lineage that the name leads to, as far as was told. */
  get lineage(): string {
    return this.#lineages.get(this.#name) ?? this.#name;
  }

  findEnding(lineage: string): ToldEnding | undefined {
    return this.#endings.get(lineage);
  }
}
