import { SessionError } from "../shared/errors.ts";

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

export function isSchema(data: unknown): data is StandardSchema<unknown> {
  return "~standard" in Object(data); // some are functions
}

/**
 * Throws ERR_SESSION_VALUE where a field of `values` does not fit the schema. A session's data is
 * written in parts, so what the schema says of other fields does not count.
 */
export async function checkAgainst(schema: StandardSchema<unknown>, values: object): Promise<void> {
  const { issues } = await schema["~standard"].validate(values);
  for (const { message, path } of issues ?? []) {
    const first = path?.[0];
    const field = typeof first === "object" ? first.key : first;
    if (field !== undefined && isWritten(values, field)) {
      throw new SessionError(
        "ERR_SESSION_VALUE",
        `The field ${JSON.stringify(String(field))} does not fit the schema: ${message}`,
        { field: String(field) },
      );
    }
  }
}

/** A field that is undefined is left alone. */
function isWritten(values: object, field: PropertyKey): boolean {
  return Object.hasOwn(values, field) && values[field as keyof typeof values] !== undefined;
}
