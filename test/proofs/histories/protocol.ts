/* The messages between the processes of the histories and their parent. */
import type { ReferenceOptions } from "session-sets";
import type { MutationName } from "../../support/proofs/mutations.ts";
import type { Call } from "./calls.ts";
import type { FirstSession, Step } from "./plan.ts";
import type { Known, Place } from "./world.ts";

/** The program's one argument. */
export interface Setting {
  readonly port: number;
  readonly cluster: boolean;
  readonly prefix: string;
  readonly shards: number;
  readonly mutation: MutationName | null;
  /** A moment of the monotonic clock (ns), from which `offset` counts. */
  readonly base: string;
}

/** The tasks for several worlds, one for each. */
export type Task = { readonly place: Place } & (
  | { readonly do: "set up"; readonly sessions: readonly FirstSession[] }
  | { readonly do: "run"; readonly steps: readonly Step[] }
  | { readonly do: "read all" }
  | { readonly do: "end all"; readonly ids: readonly string[] }
);

export interface Order {
  /** The servers' clock less the monotonic one, counted from `base` (ms). */
  readonly offset: number;
  readonly tasks: readonly Task[];
}

/** The result of each task, or an unexpected error. */
export type Result =
  | readonly { readonly calls: readonly Call[]; readonly known: readonly Known[] }[]
  | { readonly error: string };

/** The references, as they are declared; a plain set needs a store of one shard. */
export function listReferences(shards: number): Record<keyof typeof REFERENCES, ReferenceOptions> {
  return shards === 1 ? { ...REFERENCES, tag: { identity: false, as: "set" } } : REFERENCES;
}

const REFERENCES = { user_id: {}, team_ids: { identity: false }, tag: { identity: false } };
