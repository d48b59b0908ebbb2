import { misconfigured, optionNames, refuseUnknownKeys } from "../shared/errors.ts";
import type { DeleteOptions } from "./types.ts";

const OPTIONS = optionNames<DeleteOptions>({ replicas: true });

/** @throws SessionError ERR_SESSION_CONFIG for what is no number of replicas to wait for. */
export function replicasOf(options: DeleteOptions): number | undefined {
  refuseUnknownKeys("delete", options, OPTIONS);
  const { replicas } = options;
  if (replicas === undefined || (Number.isInteger(replicas) && replicas >= 1)) return replicas;
  throw misconfigured(
    "replicas must be a whole number above zero; leave it out to wait for none. Nothing was ended",
    { option: "replicas" },
  );
}
