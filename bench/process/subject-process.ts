/* A process that has one subject, and does with it what the benchmark's main process asks. */

import { type MemoryWatch, watchMemory } from "../measure/memory.ts";
import { measureOperations } from "../measure/operations.ts";
import { readSocketCounts, watchSockets } from "../measure/socket-writes.ts";
import { findSubject } from "../subjects/list.ts";
import type { Subject, SubjectOptions } from "../subjects/subject.ts";
import { GrowingSessions, type GrowthVerb } from "../workloads/growing.ts";
import { WORKLOADS } from "../workloads/list.ts";
import type { Able, Run, Scale } from "../workloads/workload.ts";
import { serve } from "./calls.ts";

let subject: Subject | undefined;
let run: Run | undefined;
let growing: GrowingSessions | undefined;

function getRun(): Run {
  if (!run) throw new Error("Nothing was prepared.");
  return run;
}

export const subjectCalls = {
  /** Opens a subject, after closing the one before. Its verbs. */
  async open(name: string, options: SubjectOptions): Promise<string[]> {
    await subject?.close();
    watchSockets(options.url);
    subject = await findSubject(name).open(options);
    return Object.keys(subject);
  },

  async prepare(name: string, scale: Scale): Promise<void> {
    const workload = WORKLOADS.find((one) => one.name === name);
    if (!workload) throw new Error(`There is no workload ${name}.`);
    // The main process asks only for workloads whose verbs the subject has.
    run = await workload.prepare(subject as Able, scale);
  },

  measure(inFlight: number, ms: number) {
    return measureOperations(getRun(), inFlight, ms);
  },

  /** Begins a growing number of sessions. Each user has `sessionsEach` of them. */
  beginGrowth(sessionsEach: number): void {
    growing = new GrowingSessions(subject as Able, sessionsEach);
  },

  async growTo(count: number): Promise<void> {
    await growing?.growTo(count);
  },

  /** Prepares what `measure` measures: a verb on the sessions that have grown. */
  take(verb: GrowthVerb): void {
    run = growing?.toRun(verb);
  },

  /** Ends all sessions of a user, and watches the memory of this process meanwhile. */
  async clearWatched(user: number): Promise<MemoryWatch> {
    const { clear } = subject as Able;
    return watchMemory(async () => {
      await clear(user);
    });
  },

  /** Does some operations, one after the other. The round trips of each. */
  async count(operations: number): Promise<number> {
    const { operate } = getRun();
    const { roundTrips } = readSocketCounts();
    for (let index = 0; index < operations; index++) await operate(index);
    return (readSocketCounts().roundTrips - roundTrips) / operations;
  },
};

serve(subjectCalls);
