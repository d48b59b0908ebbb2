import { createConfigError, quote, SessionError } from "../../shared/errors.ts";
import { readElements, readSafely } from "../../shared/given.ts";

/** What this library uses of a Standard Schema: https://standardschema.dev, version 1. */
export interface StandardSchema<Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    /** Says what is wrong with a value. */
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined;
  };
}

/** What a schema says of a value: that it fits, or what does not. */
export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** Something that does not fit, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The schema that `data` is, or null where it is there for its type only. */
export function parseSchema(data: unknown): StandardSchema<unknown> | null {
  return readSafely("ERR_SESSION_CONFIG", "data", () => {
    if (!("~standard" in Object(data))) return null; // some are functions
    const schema = data as StandardSchema<unknown>;
    if (typeof Object(schema["~standard"]).validate === "function") return schema;
    throw createConfigError(
      'data has "~standard", as a Standard Schema has, and there is no validate in it; give a schema, or {} as Data',
    );
  });
}

/**
 * Throws ERR_SESSION_VALUE where a field of `values` does not fit the schema. A session's data is
 * written in parts, so what the schema says of other fields does not count.
 */
export async function checkAgainstSchema(
  schema: StandardSchema<unknown>,
  values: object,
): Promise<void> {
  const result: unknown = await schema["~standard"].validate(values);
  for (const { field, message } of readIssues(result)) {
    if (!Object.hasOwn(values, field)) continue;
    throw new SessionError(
      "ERR_SESSION_VALUE",
      `The field ${quote(field)} does not fit the schema: ${message}`,
      { field },
    );
  }
}

/** What a schema says of fields; what it says without a path is of none. */
function readIssues(result: unknown): { readonly field: string; readonly message: string }[] {
  const what = "What the schema's validate resolves to";
  return readSafely("ERR_SESSION_CONFIG", what, () => {
    const { issues = [] } = Object(result) as { issues?: unknown };
    const list = readElements("ERR_SESSION_CONFIG", what, issues);
    if (typeof result !== "object" || result === null || list === null) {
      throw createConfigError(
        `${what} is neither { value } nor { issues: [ … ] }; see Standard Schema`,
      );
    }
    return list.flatMap((issue) => {
      const { message, path } = Object(issue) as { message?: unknown; path?: unknown };
      const first: unknown = Object(path)[0];
      const field: unknown = Object(first) === first ? Object(first).key : first;
      const shown = typeof message === "string" ? message : "see its issues";
      return typeof field === "string" ? [{ field, message: shown }] : [];
    });
  });
}
