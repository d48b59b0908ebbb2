import { Note } from "../shared/note.ts";
import type { BoundSession } from "./bind.ts";
import type { ResponseHead } from "./exchange/response-head.ts";

/** What the library knows about a request of a framework, whichever adapters the application uses. */
export class RequestNotes {
  /** One for each kind of sessions and carriers that the application uses. */
  readonly sessions: BoundSession[] = [];
  /** The head of the response on node:http, if the response is known. */
  head: ResponseHead | null = null;
  /** Whether a CSRF guard let it pass because of a bearer header. */
  passedByBearer = false;
  /** Whether it is from another origin, and a CSRF guard was told to let it in. */
  isAdmitted = false;
}

const notes = new Note<RequestNotes>();

/** Finds the notes of a request, or makes them. */
export function notesOf(request: object): RequestNotes {
  const known = notes.get(request);
  if (known) return known;
  const made = new RequestNotes();
  notes.set(request, made);
  return made;
}
