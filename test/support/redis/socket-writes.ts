/* What a client of ioredis writes to its socket. */
import type { Socket } from "node:net";

/** The commands of each write to a socket, from now on. */
export function watchWrites(socket: Socket): string[][] {
  const writes: string[][] = [];
  const { _write, _writev } = socket;
  const names = (text: unknown) => String(text).match(/(?<=^\*\d+\r\n\$\d+\r\n)\w+/gm) ?? [];
  socket._write = (chunk, ...rest) => {
    writes.push(names(chunk));
    _write.call(socket, chunk, ...rest);
  };
  socket._writev = (chunks, ...rest) => {
    writes.push(chunks.flatMap(({ chunk }) => names(chunk)));
    _writev?.call(socket, chunks, ...rest);
  };
  return writes;
}
