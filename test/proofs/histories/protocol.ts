/* The messages between the processes of the histories and their parent. */
import type { ReferenceOptions } from "session-sets";
import type { AnyMutationName } from "../../support/proofs/all-mutations.ts";
import type { Call, Limit, Watch } from "./calls.ts";
import type { FirstSession, Step } from "./plan.ts";
import type { Known, Place } from "./world.ts";

/** What the process works with, from now on. */
export interface Setting {
  /** The URL or Unix socket of a server. */
  readonly address: string;
  readonly cluster: boolean;
  readonly prefix: string;
  readonly shards: number;
  readonly mutation: AnyMutationName | null;
  /** A moment of the monotonic clock (ns), from which `offset` counts. */
  readonly base: string;
}

/** The tasks for several worlds, one for each. */
export type Task = { readonly place: Place } & (
  | { readonly do: "set up"; readonly sessions: readonly FirstSession[] }
  | { readonly do: "run"; readonly steps: readonly Step[] }
  | { readonly do: "read all" }
  | { readonly do: "end all"; readonly ids: readonly string[] }
  /** Waits until every watch has heard of an ending. */
  | { readonly do: "collect" }
);

export interface Order {
  /** The servers' clock less the monotonic one, counted from `base` (ms). */
  readonly offset: number;
  readonly tasks: readonly Task[];
}

/** What a task has brought to light. */
export interface Done {
  readonly calls: readonly Call[];
  readonly known: readonly Known[];
  readonly watches: readonly Watch[];
}

/** The result of each task, or an unexpected error. */
export type Result = readonly Done[] | { readonly error: string };

type Field = "user_id" | "team_ids" | "tag";

/** The references, as they are declared; a plain set needs a store of one shard. */
export function listReferences(
  shards: number,
  limits: Readonly<Partial<Record<Field, Limit>>> = {},
): Record<Field, ReferenceOptions> {
  return {
    user_id: { ...limits.user_id },
    team_ids: { identity: false, ...limits.team_ids },
    tag: { identity: false, ...(shards === 1 ? { as: "set" } : {}) },
  };
}
