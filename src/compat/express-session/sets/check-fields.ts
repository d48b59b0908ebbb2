import { createConfigError, quote } from "../../../shared/errors.ts";
import { isCookieField } from "../saving/cookie.ts";
import type { References, StoreReference } from "../saving/record.ts";
import { type FieldsRead, findFieldsRead } from "./fields-read.ts";

/** The fields that functions of references read. They are learnt when they are first needed. */
const fieldsReadByFunction = new WeakMap<
  NonNullable<StoreReference["from"]>,
  { readonly fields: FieldsRead }
>();

/**
 * Refuses fields that a session set cannot change. The function of a reference needs the whole session,
 * so the fields that it reads are changed in requests, which have one.
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
      throw createConfigError(
        `${verb} names ${quote(field)}, which is the middleware's; ${where}`,
        {
          field,
        },
      );
    }
    for (const [stored, { name, from }] of references) {
      if (!from || (field !== stored && !isRead(field, from))) continue;
      throw createConfigError(
        `${verb} names ${quote(field)}, which the from of the reference ${quote(name)} reads; ${where}`,
        { field },
      );
    }
  }
}

function isRead(field: string, from: NonNullable<StoreReference["from"]>): boolean {
  let known = fieldsReadByFunction.get(from);
  if (!known) {
    known = { fields: findFieldsRead(from) };
    fieldsReadByFunction.set(from, known);
  }
  return known.fields === null || known.fields.has(field);
}
