/*
 * The timers of node:timers, which the library uses: fake timers replace the global ones. A test of what
 * the library does by its own fakes or watches those.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import { onTestFinished, vi } from "vitest";

const NAMES = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

/** Fakes all timers until the test is finished, the library's own among them. */
export function fakeOwnTimers(): void {
  vi.useFakeTimers();
  replaceOwn(Object.fromEntries(NAMES.map((name) => [name, globalThis[name]])));
  onTestFinished(() => void vi.useRealTimers());
}

/** The test that watches. What earlier tests have left may still set timers in the same process. */
const watching = new AsyncLocalStorage<object>();

/** Watches one of the library's own timers until the test is finished, as what follows in the test sets it. */
export function watchOwnTimer(name: "setTimeout" | "setInterval") {
  const original = timers[name] as typeof timers.setTimeout;
  const watched = vi.fn(original);
  const test = watching.getStore() ?? {}; // it may watch another one already
  watching.enterWith(test);
  const replacement = (...args: Parameters<typeof original>) =>
    watching.getStore() === test ? watched(...args) : original(...args);
  replaceOwn({ [name]: replacement });
  onTestFinished(() => watching.disable());
  return watched;
}

function replaceOwn(replacements: Partial<typeof timers>): void {
  const names = Object.keys(replacements) as (keyof typeof timers)[];
  const before = Object.fromEntries(names.map((name) => [name, timers[name]]));
  Object.assign(timers, replacements);
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(timers, before);
    syncBuiltinESMExports();
  });
}
