/*
 * How long something takes, counted in turns of this process's event loop. On a busy machine a process
 * waits for a core, and its timers with it; nothing is counted meanwhile. So a limit on this time holds
 * on any machine, and what waits longer than a timer of its own is found all the same.
 */
import { setInterval } from "node:timers";

const TURN_MS = 10;

let time = 0;
setInterval(() => {
  time += TURN_MS; // once, however many turns were missed
}, TURN_MS).unref();

/** The milliseconds that this process's event loop has lived through. */
export function loopTime(): number {
  return time;
}
