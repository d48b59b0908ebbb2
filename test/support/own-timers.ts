/*
 * The timers of node:timers, which the library uses: fake timers replace the global ones. A test of what
 * the library does by its own fakes or watches those.
 */
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

/** Watches one of the library's own timers until the test is finished. */
export function watchOwnTimer(name: "setTimeout" | "setInterval") {
  const watched = vi.fn(timers[name]);
  replaceOwn({ [name]: watched });
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
