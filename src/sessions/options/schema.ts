import { createConfigError, quote, SessionError } from "../../shared/errors.ts";
import { readElements, readSafely } from "../../shared/given.ts";

/** The part of a Standard Schema that this library uses: https://standardschema.dev, version 1. */
export interface StandardSchema<Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    /** Says what is wrong with a value. */
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined;
  };
}

/** The result of validating a value: it fits, or has issues. */
export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing in a value that doesn't fit, and where it is. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Returns `data` if it is a schema, or null if it is there for its type only. */
export function parseSchema(data: unknown): StandardSchema<unknown> | null {
  return readSafely("ERR_SESSION_CONFIG", "data", () => {
    if (!("~standard" in Object(data))) return null; // some are functions
    const schema = data as StandardSchema<unknown>;
    if (typeof Object(schema["~standard"]).validate === "function") return schema;
    throw createConfigError(
      'data has "~standard" as a Standard Schema has, but no validate in it; give a schema, or {} as Data',
    );
  });
}

/**
 * Throws ERR_SESSION_VALUE if a field of `values` doesn't fit the schema. A session's data is written in
 * parts, so issues of other fields don't count.
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

/** Reads the issues that have a path, and so are about a field. */
function readIssues(result: unknown): { readonly field: string; readonly message: string }[] {
  const what = "The result of the schema's validate";
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
