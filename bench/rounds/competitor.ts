/* What takes part in a workload: a process with a subject or an app, and a database of its own. */
import type { ClientSample } from "../measure/operations.ts";

export interface Competitor {
  readonly subject: string;
  readonly client: string;
  /** The number of its database. */
  readonly database: number;
  /** Makes what the next rounds need, in an empty database. */
  prepare(): Promise<void>;
  measure(inFlight: number, ms: number): Promise<ClientSample>;
  /** Does some operations, one after the other. The round trips of each. */
  count(operations: number): Promise<number>;
  /** Empties its database. */
  empty(): Promise<void>;
  close(): void;
}
