import type { Marked } from "../store/changes.ts";
import type { ShownStore, Stored, StoredEntry } from "../store/reading.ts";
import { type Html, html, type Part } from "./html.ts";
import { formatDuration, formatMoment } from "./time.ts";

/** What fields mean: the app's own, then the store's. */
const MEANINGS: Readonly<Record<string, string>> = {
  user_id: "a reference: it puts the session into the set",
  flash: "the message for the next page",
  "@r": "the sets that it is in",
  "@l": "its lineage: the id before its first new token",
  "@p": "the id before this one",
  target: "the id that it leads to",
  createdAt: "created",
  lastSeenAt: "last seen",
  idleTimeout: "may be idle for",
  absoluteDeadline: "ends, however busy it is",
  expiresAt: "ends, if it isn't used",
  lineage: "the id that it was made with",
  by: "a tombstone: its cookie signs nobody in",
};

interface Corner {
  readonly store: Pick<ShownStore, "name" | "about">;
  /** Null if the store could not be read. */
  readonly marked: readonly Marked[] | null;
  /** The lineage of the session that looks. */
  readonly here: string;
}

/** Renders what is in the store of the signed-in user's sessions. */
export function renderCorner({ store, marked, here }: Corner): Html {
  const live = marked?.filter(({ stored, mark }) => stored.role === "session" && mark !== "gone");
  return html`${title(store.name)}
<p>All that is kept of your sessions, live. ${store.about}</p>
${
  marked
    ? sort(marked, here).map((one) => renderStored(one, here))
    : html`<p class="alert">The store can't be read right now.</p>`
}
${live && html`<p>No token is among it: tokens are only in the browsers' cookies. An id is derived from a token's hash, and gives no access.</p>`}`;
}

/** What a visitor sees who isn't signed in. */
export function renderEmptyCorner({ name }: Pick<ShownStore, "name">): Html {
  return html`${title(name)}
<p><strong>Nothing about you.</strong> A visitor has no session before the sign-in, and none after its end: then the cookie that a browser may still have leads to nothing.</p>`;
}

function title(name: string): Html {
  return html`<h2 id="store-title">In ${name}, right now</h2>`;
}

/** The set first. The session that looks is last, because it is shown with all its fields. */
function sort(marked: readonly Marked[], here: string): Marked[] {
  const rank = ({ stored }: Marked) => {
    if (stored.role === "set") return 0;
    return stored.role === "session" && stored.session?.lineage === here ? 2 : 1;
  };
  return [...marked].sort((one, other) => rank(one) - rank(other));
}

function renderStored({ stored, mark, changed }: Marked, here: string): Html {
  const { key, type, expiresAt, entries, role } = stored;
  const isHere = stored.session?.lineage === here;
  const isOpen = (role === "session" && isHere) || role === "set";
  const deadline =
    mark === "gone"
      ? html` · <em>deleted</em>`
      : expiresAt !== null && html` · expires ${formatMoment(expiresAt)}`;
  return html`<details id="key-${key}" class="${[role, mark].filter(Boolean).join(" ")}"${isOpen && mark !== "gone" && html` open`}>
<summary id="of-${key}"><strong>${describeRole(stored, isHere)}</strong> <code>${key}</code> <small>${type}${deadline}</small></summary>
<table><tbody>${entries.map((entry) => renderEntry(entry, stored, changed.has(entry.name)))}</tbody></table>
</details>`;
}

function describeRole({ role, entries }: Stored, isHere: boolean): Part {
  const device = entries.find(({ name }) => name === "device")?.value ?? "A session";
  if (role === "session") return html`${device}${isHere && ", this window"}`;
  if (role === "set") return "Your session set";
  if (role === "alias") return "An old id, which leads to the new one";
  if (role === "pointer") return "From a lineage to the id of today";
  if (role === "cleared") return "When the set was last cleared";
  return "A session that has just ended";
}

function renderEntry(entry: StoredEntry, { role }: Stored, isChanged: boolean): Html {
  const { name, value } = entry;
  if (role === "set") {
    return html`<tr${isChanged && html` class="changed"`}><td><code>${name}</code>${value && html` <small>score ${value}: ends ${explain(entry)}</small>`}</td></tr>`;
  }
  return html`<tr${isChanged && html` class="changed"`}>${name && html`<th scope="row"><code>${name}</code></th>`}<td><code>${value}</code> <small>${explain(entry)}</small></td></tr>`;
}

/** What an entry means, and its time in words. */
function explain({ name, moment, duration, parts }: StoredEntry): Part {
  if (parts) return parts.map((part, i) => [i > 0 && ", ", explain(part)]);
  const meaning = Object.hasOwn(MEANINGS, name) && MEANINGS[name];
  const time = moment === undefined ? duration && formatDuration(duration) : formatMoment(moment);
  return [meaning, meaning && time && " ", time];
}
