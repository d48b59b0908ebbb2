/* A workload is one thing that programs do with sessions, again and again. */
import type { ReferenceCount } from "../record.ts";
import type { Subject, Verb } from "../subjects/subject.ts";

export interface Scale {
  /** How many sessions there are before an operation on one of them is measured. */
  readonly sessions: number;
  /** How many operations that use something up, such as a user's sessions, are measured at most. */
  readonly consumed: number;
}

/** A workload on sessions that are there now. */
export interface Run {
  /** The operation; `index` counts from zero. */
  readonly operate: (index: number) => Promise<unknown>;
  /** The most operations that there are, if each uses up something that was prepared. */
  readonly limit: number;
}

/** A subject that has the verbs that a workload needs. */
export type Able = Required<Subject>;

export interface Workload {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly references: ReferenceCount;
  readonly needs: readonly Verb[];
  /** One operation is all there is to measure: one in flight, and fewer rounds. */
  readonly single?: true;
  /** Too much for `--quick`. */
  readonly slow?: true;
  /** Makes the sessions in an empty database, untimed. */
  readonly prepare: (subject: Able, scale: Scale) => Promise<Run>;
}

export const SESSIONS_A_USER = 3;

/** The user of the session of this number: they have three each. */
export function userOf(index: number): number {
  return Math.floor(index / SESSIONS_A_USER) + 1;
}

/** Calls `make` for 0, 1, … and keeps 64 calls in flight. */
export async function makeMany<T>(
  count: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  async function work(): Promise<void> {
    while (next < count) {
      const index = next++;
      made[index] = await make(index);
    }
  }
  await Promise.all(Array.from({ length: Math.min(64, count) }, work));
  return made;
}
