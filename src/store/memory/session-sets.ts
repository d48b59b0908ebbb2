import type { Reference } from "../contract.ts";
import type { Session } from "./entry.ts";

/** The session sets, by field, then by the value's text. */
export class SessionSets {
  readonly #byField = new Map<string, Map<string, Set<Session>>>();

  has({ field, text }: Reference, session: Session): boolean {
    return session.references.get(field)?.has(text) ?? false;
  }

  listMembers({ field, text }: Reference): Session[] {
    return [...(this.#byField.get(field)?.get(text) ?? [])];
  }

  /** Replaces the values of a session's field by `texts`. */
  setTexts(session: Session, field: string, texts: readonly string[]): void {
    for (const text of session.references.get(field) ?? []) this.#removeFrom(session, field, text);
    session.references.delete(field);
    if (texts.length > 0) session.references.set(field, new Set(texts));
    for (const text of texts) this.#addTo(session, field, text);
  }

  /** Removes a session from all sets. */
  remove(session: Session): void {
    for (const field of [...session.references.keys()]) this.setTexts(session, field, []);
  }

  clear(): void {
    this.#byField.clear();
  }

  #addTo(session: Session, field: string, text: string): void {
    const sets = this.#byField.get(field) ?? new Map<string, Set<Session>>();
    this.#byField.set(field, sets);
    sets.set(text, (sets.get(text) ?? new Set()).add(session));
  }

  #removeFrom(session: Session, field: string, text: string): void {
    const sets = this.#byField.get(field);
    const set = sets?.get(text);
    set?.delete(session);
    if (set?.size === 0) sets?.delete(text);
    if (sets?.size === 0) this.#byField.delete(field);
  }
}
