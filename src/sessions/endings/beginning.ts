import type { FeedEvent } from "../../store/feed.ts";
import { type ToldEnding, toEndings } from "./ending.ts";

type Shortened = Extract<FeedEvent, { readonly type: "shortened" }>;

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
  /** The deadlines that were brought forward, by lineage. */
  readonly #deadlines = new Map<string, Shortened>();
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
    if (event.type === "shortened") {
      this.#deadlines.set(event.lineage, event);
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

  /** The last deadline of a session that was brought forward, if any was. */
  findShortened(lineage: string): Shortened | undefined {
    return this.#deadlines.get(lineage);
  }

  findEnding(lineage: string): ToldEnding | undefined {
    return this.#endings.get(lineage);
  }
}
