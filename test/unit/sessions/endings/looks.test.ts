/* How sessions are looked up whose endings may have been missed: a few at once, and again on failure. */
import { expect, onTestFinished, test } from "vitest";
import { Alarm } from "../../../../src/sessions/endings/alarm.ts";
import { Looks } from "../../../../src/sessions/endings/looks.ts";
import { eventually } from "../../../support/eventually.ts";

const MOST_AT_ONCE = 16;

/** A watch whose looks are answered by hand. */
function createWatch() {
  const answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const alarm = new Alarm();
  onTestFinished(() => alarm.clear());
  return {
    alarm,
    isOver: false,
    answers,
    look: () => new Promise<void>((resolve, reject) => void answers.push({ resolve, reject })),
  };
}

test("a session that nobody watches any more is not looked up when its turn comes", async () => {
  const looks = new Looks();
  const running = Array.from({ length: MOST_AT_ONCE }, createWatch);
  const [over, next] = [createWatch(), createWatch()];
  for (const watch of [...running, over, next]) looks.add(watch);
  over.isOver = true;
  running[0]?.answers[0]?.resolve();
  await eventually("the next look", 1, async () => next.answers.length);
  expect(over.answers).toEqual([]);
});

test("a look that fails is made again, unless nobody watches the session any more", async () => {
  const looks = new Looks();
  const [over, watched] = [createWatch(), createWatch()];
  const rings: string[] = [];
  for (const [name, { alarm }] of Object.entries({ over, watched })) {
    const set = alarm.set.bind(alarm);
    Object.assign(alarm, {
      set(delay: number, ring: () => void) {
        rings.push(name);
        set(delay, ring);
      },
    });
  }
  for (const watch of [over, watched]) looks.add(watch);
  over.isOver = true;
  for (const { answers } of [over, watched]) answers[0]?.reject(new Error("no answer"));
  await eventually("the second look", 2, async () => watched.answers.length);
  expect([over.answers.length, rings]).toEqual([1, ["watched"]]);
});
