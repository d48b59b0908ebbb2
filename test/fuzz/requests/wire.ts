/* Requests as bytes on a socket, so that nothing between refuses or fixes what is hostile in them. */
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";

/** A server's answer. */
export interface Response {
  readonly status: number;
  /** As they came, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export type Header = readonly [name: string, value: string];

/**
 * Sends a request to a port of this machine, and reads what comes until the server closes the connection.
 *
 * @param encoding how the characters of headers become bytes.
 */
export async function send(
  port: number,
  { method, headers, body }: { method: string; headers: readonly Header[]; body: string },
  encoding: "latin1" | "utf8",
): Promise<Response> {
  const socket = connect(port, "127.0.0.1");
  // A server that has answered a request that it cannot read may reset the connection.
  socket.on("error", () => socket.destroy());
  const length: readonly Header[] =
    body === "" ? [] : [["Content-Length", `${Buffer.byteLength(body)}`]];
  const lines = [...headers, ...length].map(([name, value]) => `${name}: ${value}`);
  socket.write(`${method} / HTTP/1.1\r\nConnection: close\r\n`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, encoding);
  if (body !== "") socket.write(body);
  const received = await buffer(socket).catch(() => Buffer.alloc(0));
  return parse(received.toString("latin1"));
}

function parse(text: string): Response {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers: lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
    body: text.slice(end + 4),
  };
}
