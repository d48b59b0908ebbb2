import { escapePattern, type ForeignValue } from "../../migrate/foreign-keys.ts";
import type { ForeignLayout, MigratedSession } from "../../migrate/migrator.ts";
import { quote } from "../../shared/errors.ts";
import { warn } from "../../shared/warnings.ts";
import { deriveLifetime, isFixed, parseExpiry } from "./saving/cookie.ts";
import { createRecord, pickReferences, type References } from "./saving/record.ts";
import { deriveId } from "./sid.ts";

const COLON = ":";
/** The prefixes, with a colon, whose keys this process has looked for. */
const checked = new Set<string>();
/** The subjects that this process has warned of. */
const warned = new Set<string>();

/** How the other store keeps sessions, and how this one does. */
export interface ForeignLayoutSettings {
  readonly prefix: string;
  readonly references: References;
  /** For a session whose cookie ends with the browser. */
  readonly idleTimeout: number;
  readonly shards: number;
}

/**
 * How connect-redis, and other stores like it, keep sessions: JSON at `<prefix><sid>`, which expires
 * with the session. If it doesn't (`disableTTL`), the cookie says when the session ends.
 */
export function createForeignLayout(settings: ForeignLayoutSettings): ForeignLayout {
  const { prefix, references, idleTimeout, shards } = settings;
  const lacksColon = !prefix.endsWith(COLON);
  return {
    pattern: `${escapePattern(prefix)}*`,
    type: "string",
    index: null,
    toKey: (sid) => prefix + sid,
    parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession | null {
      const sid = key.slice(prefix.length);
      if (lacksColon && sid.startsWith(COLON)) {
        warnAboutColon(prefix);
        return null; // it would be kept under the id of a sid with a colon, where no request finds it
      }
      const session: unknown = JSON.parse(String(value));
      let leftOut = 0;
      const { fields, texts, cookie } = createRecord(session, references, {
        maxBytes: Number.POSITIVE_INFINITY, // the other store had no limit
        onUnnamed(name, fault) {
          leftOut++;
          warnAboutField(name, fault);
        },
      });
      const deadline = expiresAt ?? parseExpiry(cookie);
      if (deadline === null || !hasCookie(session)) return null;
      return {
        id: deriveId(sid, shards),
        fields,
        references: pickReferences(fields.keys(), texts, references),
        expiresAt: deadline,
        idleTimeout: isFixed(cookie) ? null : deriveLifetime(cookie, null, idleTimeout).idleTimeout,
        entries: [],
        leftOut,
      };
    },
    // Once a process: are the keys those of the prefix with a colon at its end?
    async explainAbsence(sid, exists) {
      const other = prefix + COLON;
      if (!lacksColon || checked.has(other)) return;
      checked.add(other);
      try {
        if (await exists(other + sid)) warnAboutColon(prefix);
      } catch (error) {
        checked.delete(other); // the look failed
        throw error;
      }
    },
  };
}

function hasCookie(session: unknown): boolean {
  const { cookie } = session as { cookie?: unknown };
  return typeof cookie === "object" && cookie !== null;
}

function warnAboutColon(prefix: string): void {
  const right = prefix + COLON;
  warnOncePerSubject(
    `colon ${right}`,
    "SESSION_SETS_MIGRATE_PREFIX",
    `There are sessions whose keys begin with ${quote(right)}, and migrate looks for ${quote(prefix)}, so they are not migrated: write migrate: { prefix: ${quote(right)} }`,
  );
}

function warnAboutField(name: string, fault: string): void {
  warnOncePerSubject(
    `field ${fault}`,
    "SESSION_SETS_FIELD_LEFT_OUT",
    `A session was migrated without its field ${quote(name)}, whose name ${fault}. Other sessions lose such a field, too; moveSessions counts these fields as leftOut`,
  );
}

function warnOncePerSubject(subject: string, code: string, message: string): void {
  if (warned.has(subject)) return;
  warned.add(subject);
  warn(code, message);
}
