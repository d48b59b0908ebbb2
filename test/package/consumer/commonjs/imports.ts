// What a program imports of the package, and no other package's types.
import { createSessions } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";

export const both = [createSessions, SessionSetsStore];
