/*
 * A subject is a library under test, or the commands that one sends: a session store with the same
 * verbs for all. One that lacks a verb does not take part in the workloads that need it.
 */
import type { ClientName } from "../clients/commands.ts";
import type { ReferenceCount } from "../record.ts";

export interface Subject {
  /** Makes a session of a user, or with null one without a user. Its token. */
  create(user: number | null): Promise<string>;
  /** Reads all fields. */
  get?(token: string): Promise<unknown>;
  /** Reads `name` and `theme`. */
  getTwo?(token: string): Promise<unknown>;
  /** Writes a field that is no reference. */
  set?(token: string, theme: string): Promise<unknown>;
  /** Writes a field that is a reference: the session changes its set. */
  setReference?(token: string, team: number): Promise<unknown>;
  /** Pushes the session's deadline forward. */
  touch?(token: string): Promise<unknown>;
  /** Signs a user in over a session. The token that leads to the user's session from now on. */
  signIn?(token: string, user: number): Promise<string>;
  /** Ends a session. */
  end?(token: string): Promise<unknown>;
  /** How many sessions a user has. */
  size?(user: number): Promise<number>;
  /** All sessions of a user, with their data. */
  list?(user: number): Promise<readonly unknown[]>;
  /** Ends all sessions of a user. */
  clear?(user: number): Promise<unknown>;
  close(): void | Promise<void>;
}

export type Verb = Exclude<keyof Subject, "close">;

export interface SubjectOptions {
  readonly client: ClientName;
  /** Such as `redis://127.0.0.1:6379/3`: the database is the subject's alone. */
  readonly url: string;
  readonly references: ReferenceCount;
  /** Into how many hash tags the sessions are spread, where the subject can. */
  readonly shards: number;
}

export interface SubjectDescription {
  readonly name: string;
  /** The clients that it takes. The first one is used where the clients aren't compared. */
  readonly clients: readonly ClientName[];
  /** Every login reads and writes the whole list of a user's sessions, so that large sets take hours. */
  readonly smallSetsOnly?: true;
  /** Loads the library and opens it. */
  readonly open: (options: SubjectOptions) => Promise<Subject>;
}
