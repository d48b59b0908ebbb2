import { escapePattern, type ForeignValue } from "../../migrate/foreign-keys.ts";
import type { ForeignLayout, MigratedSession } from "../../migrate/migrator.ts";
import { encodeRecord } from "../shared/json-record.ts";
import { deriveMigratedId } from "./ids.ts";
import { pickReferences } from "./options/references.ts";

/** The fields that a hash has besides the program's. */
const OWN_FIELDS = ["id", "_csrf_secret"];

/**
 * How koa-redis-session-sets keeps sessions, P being its prefix:
 *
 *   P:{<id>}             hash   the fields, all of them text, and `id` and `_csrf_secret`
 *   P:<field>:{<value>}  set    ids of sessions that have, or have had, this value
 */
export function createForeignLayout(
  prefix: string,
  references: ReadonlySet<string>,
): ForeignLayout {
  const head = `${prefix}:{`;
  const toIndexKey = (field: string, value: unknown) => `${prefix}:${field}:{${value}}`;
  return {
    pattern: `${escapePattern(head)}*}`,
    type: "hash",
    index: { type: "set", toKey: toIndexKey },
    toKey: (id) => `${head}${id}}`,
    parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession | null {
      if (typeof value === "string" || expiresAt === null) return null;
      const foreignId = key.slice(head.length, -1);
      const record = Object.fromEntries([...value].filter(([name]) => !OWN_FIELDS.includes(name)));
      const entries = Object.entries(record)
        .filter(([field]) => references.has(field))
        .map(([field, text]) => ({ key: toIndexKey(field, text), member: foreignId }));
      return {
        id: deriveMigratedId(foreignId),
        fields: encodeRecord(record),
        references: pickReferences(record, references),
        expiresAt,
        entries,
      };
    },
  };
}
