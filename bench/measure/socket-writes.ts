/*
 * Counts what this process sends to the server: writes to its sockets, and round trips. A round trip is
 * a write that follows the arrival of an answer, so several commands that are sent at once are one.
 */
import { Socket } from "node:net";

let port = 0;
let writes = 0;
let roundTrips = 0;
let answered = true;

function noteWrite(socket: Socket): void {
  if (socket.remotePort !== port) return;
  writes++;
  if (answered) roundTrips++;
  answered = false;
}

const { _write, _writev, push } = Socket.prototype;

Socket.prototype._write = function (...args) {
  noteWrite(this);
  return _write.apply(this, args);
};

Socket.prototype._writev = function (...args) {
  noteWrite(this);
  return _writev?.apply(this, args);
};

Socket.prototype.push = function (...args) {
  if (this.remotePort === port) answered = true;
  return push.apply(this, args);
};

/** Counts, from now on, what is sent to the server of this URL. */
export function watchSockets(url: string): void {
  port = Number(new URL(url).port);
}

export interface SocketCounts {
  readonly writes: number;
  /** They mean something where one operation is in flight at a time. */
  readonly roundTrips: number;
}

/** All that was counted until now. */
export function readSocketCounts(): SocketCounts {
  return { writes, roundTrips };
}
