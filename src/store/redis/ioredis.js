import { SessionError } from "../../errors.ts";
export function isIoredis(client) {
  if (typeof client !== "object" || client === null) return false;
  const { call, status, options, isCluster } = client;
  return (
    typeof call === "function" &&
    typeof status === "string" &&
    typeof options === "object" &&
    isCluster === false
  );
}
export function ioredisConnection(client) {
  // The scripts find the hash tag by the first brace, and a cluster finds the slot by it.
  if (/[{}]/.test(client.options.keyPrefix ?? "")) {
    throw new SessionError(
      "ERR_SESSION_CONFIG",
      "The client's keyPrefix has a brace, which would change the hash tag of every key; leave it out, and name the sessions with redisStore's own prefix",
    );
  }
  return {
    send: async (_key, name, args) => flat(await client.call(name, [...args])),
  };
}
/** RESP3 gives a map as a Map or an object, RESP2 as an array of name, value, … */
function flat(reply) {
  if (reply instanceof Map) return [...reply].flat();
  if (typeof reply === "object" && reply !== null && !Array.isArray(reply)) {
    return Object.entries(reply).flat();
  }
  return reply;
}
