/* A client that sends the commands of one turn in one write: with thousands of commands, writing is much of the work. */
import type { Client } from "../stores/stores.ts";

/** Makes the client hold back what it writes until all that can be written now has been. */
export function sendTogether<One extends Client>(client: One): One {
  const sendCommand: unknown = client.sendCommand;
  let held = false;
  const hold = (): void => {
    const { stream } = client;
    if (held || !stream) return; // commands are queued before there is a connection
    held = true;
    stream.cork();
    process.nextTick(() => {
      held = false;
      stream.uncork();
    });
  };
  return Object.assign(client, {
    sendCommand(...args: unknown[]): unknown {
      hold();
      return Reflect.apply(sendCommand as () => unknown, client, args);
    },
  });
}
