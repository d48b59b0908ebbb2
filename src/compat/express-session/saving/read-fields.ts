import { misconfigured, quote } from "../../../shared/errors.ts";
import { isCookieField } from "./cookie.ts";
import { type FieldsRead, fieldsReadBy } from "./reads.ts";
import type { Declared, References } from "./record.ts";

/** By the functions of references, what they read: learnt where it is needed first. */
const learnt = new WeakMap<NonNullable<Declared["from"]>, { readonly fields: FieldsRead }>();

/**
 * Refuses fields that a set cannot change: the functions of references see only whole sessions, so
 * what they read is changed where a session is whole.
 *
 * @throws SessionError ERR_SESSION_CONFIG
 */
export function checkFields(
  verb: "set" | "unset",
  fields: readonly string[],
  references: References,
): void {
  const where = "change it in the request of each session (req.session)";
  for (const field of fields) {
    if (isCookieField(field)) {
      throw misconfigured(`${verb} names ${quote(field)}, which is the middleware's; ${where}`, {
        field,
      });
    }
    for (const [stored, { name, from }] of references) {
      if (!from || (field !== stored && !isRead(field, from))) continue;
      throw misconfigured(
        `${verb} names ${quote(field)}, which the from of the reference ${quote(name)} reads; ${where}`,
        { field },
      );
    }
  }
}

function isRead(field: string, from: NonNullable<Declared["from"]>): boolean {
  let known = learnt.get(from);
  if (!known) {
    known = { fields: fieldsReadBy(from) };
    learnt.set(from, known);
  }
  return known.fields === null || known.fields.has(field);
}
