/* Faults of the sources by which endings are heard, each with the case that must find it. */
import type { Edit } from "./mutated-sources.ts";

export interface SourceMutation {
  /** Its path, from the root of the project. */
  readonly file: string;
  /** What is wrong. */
  readonly about: string;
  readonly edits: readonly Edit[];
  /** The case that finds it: a part of its name. */
  readonly foundBy: string;
}

/** Faults of a file. */
function of(
  file: string,
  list: readonly (readonly [about: string, foundBy: string, ...edit: Edit])[],
): SourceMutation[] {
  return list.map(([about, foundBy, ...edit]) => ({ file, about, edits: [edit], foundBy }));
}

/** Faults of the memory store's feed, which the contract of feeds must find. */
export const memoryFeedMutations: readonly SourceMutation[] = [
  ...of("src/store/memory/feed.ts", [
    [
      "a listener that is given twice is told once",
      "each listener, also one that listens twice",
      "const subscription = { listener };",
      "const subscription = [...this.#subscriptions].find((one) => one.listener === listener) ?? { listener };",
    ],
    [
      "who has stopped is told on",
      "nothing more to who has stopped",
      "return () => this.#subscriptions.delete(subscription);",
      "return () => {};",
    ],
    [
      "who stops stops all",
      "nothing more to who has stopped",
      "return () => this.#subscriptions.delete(subscription);",
      "return () => this.#subscriptions.clear();",
    ],
    [
      "an ending of nothing is told",
      "nothing where nothing was ended",
      "if (ended.length === 0) return;",
      "",
    ],
    [
      "the cause is lost",
      "the cause that the caller gives",
      "how, cause, sessions }));",
      "how, cause: NO_CAUSE, sessions }));",
    ],
    [
      "the lineage is told as the id",
      "the id that a session had, and its lineage",
      "({ id, lineage }) => ({ id, lineage })",
      "({ id }) => ({ id, lineage: id })",
    ],
    [
      "only the first of several sessions is told",
      "each session that endAll ended",
      "const sessions = ended.map(",
      "const sessions = ended.slice(0, 1).map(",
    ],
    [
      "a rotation is told the wrong way round",
      "a rotation without a grace time",
      "at: this.#now(), from, to, lineage }",
      "at: this.#now(), from: to, to: from, lineage }",
    ],
    [
      "the time isn't the store's",
      "when a session ended, on the store's clock",
      '"ended", at: this.#now()',
      '"ended", at: 0',
    ],
    [
      "the old deadline is told",
      "brought forward, once",
      "id, lineage, expiresAt }));",
      "id, lineage, expiresAt: expiresAt + 60_000 }));",
    ],
  ]),
  ...of("src/store/memory/keeper.ts", [
    [
      "an ending isn't told",
      "end ended a session",
      "    this.feed.tellEnded(kind, sessions);\n",
      "",
    ],
    [
      "a rotation isn't told",
      "each rotation of a session",
      "this.feed.tellRotated(id, session);",
      "",
    ],
    [
      "a nearer deadline isn't told",
      "brought forward, once",
      "if (session.expiresAt < before) this.feed.tellShortened(session);",
      "",
    ],
    [
      "a deadline that stays is told",
      "stays or is put off",
      "if (session.expiresAt < before)",
      "if (session.expiresAt <= before)",
    ],
    [
      "a deadline that is put off is told",
      "nothing of reads and writes",
      "if (session.expiresAt < before)",
      "if (session.expiresAt !== before)",
    ],
  ]),
  ...of("src/store/memory/store.ts", [
    [
      "a clear is told as a delete",
      "each session that endAll ended",
      '{ how: "clear", cause }',
      '{ how: "delete", cause }',
    ],
    [
      "trim gives no cause",
      "which sessions trim ended, and why",
      '{ how: "trim", cause }',
      '{ how: "trim", cause: undefined }',
    ],
  ]),
];

/** Faults of `onEnd` and `endings`, which the cases of endings must find. */
export const endingMutations: readonly SourceMutation[] = [
  ...of("src/sessions/endings/shard-watches.ts", [
    [
      "a gap has nothing looked up",
      "has every watched session looked up",
      "    for (const watch of this.#watches.values()) this.#looks.add(watch);\n",
      "",
    ],
    [
      "a gap while a watch begins is forgotten",
      "while a watch begins a gap",
      "    for (const beginning of this.#beginnings) beginning.hasGap = true;\n",
      "",
    ],
    [
      "what is told while a watch begins is forgotten",
      "an ending after the look, by the session's id",
      "    for (const beginning of this.#beginnings) beginning.note(event);\n",
      "",
    ],
    [
      "a session that got a new id before the look is not looked up by its lineage",
      "a rotation for good before the look",
      'if (found.state === "live" || lineage === name ||',
      "if (true ||",
    ],
    [
      "the id of a rotated session stays the old one",
      "is told with its last id",
      "if (watch) watch.id = event.to;",
      "",
    ],
    [
      "a nearer deadline is not heeded",
      "that is brought forward is told when it has passed",
      "      this.#watches.get(event.lineage)?.shorten(event);\n",
      "",
    ],
    [
      "a nearer deadline is forgotten while a watch begins",
      "brought forward after the look",
      "      if (shortened) watch.shorten(shortened);",
      "",
    ],
    [
      "a deadline is looked up once only",
      "that was moved meanwhile is looked up again",
      "      watch.wait(found);\n      return;\n    }\n    const ending",
      "      return;\n    }\n    const ending",
    ],
    [
      "a deadline that was moved counts as passed",
      "that was moved meanwhile is looked up again",
      'if (found.state === "live") {\n      watch.wait(found);\n      return;',
      'if (found.state === "live" && !watch.isDue) {\n      watch.wait(found);\n      return;',
    ],
    [
      "an expiry is told as unknown",
      "that passes is told as expire",
      "const ending = watch.isDue\n",
      "const ending = !watch.isDue\n",
    ],
    [
      "off ends the next watch of the session, too",
      "stopped twice",
      "if (watch && !watch.isOver && watch.listeners.size === 0)",
      "if (watch && watch.listeners.size === 0)",
    ],
    [
      "off ends the watch of others, too",
      "each callback of one session",
      "if (watch && !watch.isOver && watch.listeners.size === 0)",
      "if (watch && !watch.isOver)",
    ],
    [
      "the subscription stays after the last watch",
      "one subscription for all watches",
      "    await this.#stopIfEmpty();\n  }\n\n  /** Ends all watches.",
      "  }\n\n  /** Ends all watches.",
    ],
    [
      "each watch subscribes",
      "one subscription for all watches",
      "this.#subscription ??= this.#store",
      "this.#subscription = this.#store",
    ],
  ]),
  ...of("src/sessions/endings/watch.ts", [
    [
      "a callback that was stopped is called",
      "no callback that another one stops",
      "      if (this.#isOver) return;\n",
      "",
    ],
    [
      "a callback runs within the call that ended the session",
      "runs outside of the call",
      "    setImmediate(() => {",
      "    [() => {}].forEach(() => {",
    ],
    [
      "what a callback throws is swallowed",
      "that throws is an uncaught exception",
      "void this.#callback(ending);",
      "try { void this.#callback(ending); } catch {}",
    ],
    [
      "what a callback throws stops the others",
      "that throws is an uncaught exception",
      "      if (ending) listener.tell(ending);\n",
      "      if (ending) listener.tell(ending);\n      if (ending && this.listeners.size > 2) break;\n",
    ],
    [
      "a look that was on its way puts a nearer deadline off again",
      "brought forward during a look",
      "Math.min(session.expiresAt, this.#shortenedTo)",
      "session.expiresAt",
    ],
    [
      "a nearer deadline counts for ever",
      "brought forward and put off again",
      "    this.#shortenedTo = Number.POSITIVE_INFINITY;\n",
      "",
    ],
    [
      "a watch that is over still rings",
      "close ends all watches",
      "    this.#isOver = true;\n    this.alarm.clear();\n",
      "",
    ],
  ]),
  ...of("src/sessions/endings/beginning.ts", [
    [
      "a rotation while a watch begins is not followed",
      "a rotation for good before the look",
      "      this.#lineages.set(event.from, event.lineage);\n",
      "",
    ],
    [
      "an ending while a watch begins is forgotten",
      "an ending after the look, by the session's lineage",
      "      this.#endings.set(ending.lineage, ending);\n",
      "",
    ],
  ]),
  ...of("src/sessions/endings/looks.ts", [
    [
      "a look that fails is not made again",
      "until the store answers",
      "      this.#retry(watch);\n",
      "",
    ],
    [
      "all are looked up at once",
      "only a few sessions up at once",
      "MAX_LOOKS = 16",
      "MAX_LOOKS = 1e9",
    ],
    [
      "a look that is asked for during a look is not made",
      "that comes during a look",
      "    this.#waiting.add(watch);\n",
      "    if (!this.#running.has(watch)) this.#waiting.add(watch);\n",
    ],
  ]),
  ...of("src/sessions/endings/alarm.ts", [
    [
      "a far deadline rings at once",
      "further away than a timer",
      "const chunk = Math.min(Math.max(delay, 1), MAX_DELAY_MS);",
      "const chunk = Math.max(delay, 1);",
    ],
    ["a deadline keeps the process alive", "does not keep the process alive", ".unref()", ""],
  ]),
  ...of("src/sessions/endings/stream.ts", [
    [
      "a gap is not told",
      "a gap where something may have been missed",
      "    this.#push(createGap());\n",
      "",
    ],
    [
      "a loop that is behind keeps all",
      "10,000 behind",
      "MAX_WAITING = 10_000",
      "MAX_WAITING = 1e9",
    ],
    [
      "a loop that is behind loses endings silently",
      "10,000 behind",
      "this.#waiting = [createGap()];",
      "this.#waiting = [];",
    ],
    ["the subscription outlives its loop", "nothing after break", "        await stop();\n", ""],
    [
      "close waits for the next ending",
      "returned or closed while it waits",
      "    this.#waiting = [];\n    this.#wake();\n",
      "    this.#waiting = [];\n",
    ],
  ]),
  ...of("src/sessions/endings/ending.ts", [
    [
      "the cause is not told",
      "how, when, by whom and why",
      "const { initiator, reason } = cause;",
      "const [initiator, reason] = [null, cause.reason && null];",
    ],
  ]),
];
