import type { FieldChanges, Rotation } from "../../contract.ts";
import { encodeName, setNames } from "./keys.ts";

/* The arguments of the scripts, as the head of each describes them. */

export function optional(value: number | null | undefined): string {
  return String(value ?? "");
}

export function counted(list: readonly string[]): string[] {
  return [String(list.length), ...list];
}

export function fieldChanges({ set, unset, references, maxBytes }: FieldChanges): string[] {
  return [
    String(maxBytes),
    ...counted(
      references.flatMap((reference) => [
        encodeName(reference.field),
        setNames(reference).join(" "),
      ]),
    ),
    ...counted([...set].flat()),
    ...counted(unset),
  ];
}

export function rotationArguments(rotation: Rotation | null): string[] {
  const { idleTimeout, absoluteTimeout, without = [] } = rotation?.replacement ?? {};
  return [
    rotation?.to ?? "",
    rotation?.when ?? "",
    String(rotation?.grace ?? 0),
    String(rotation?.tombstone ?? 0),
    encodedNames(rotation?.identity ?? []),
    encodedNames(rotation?.firstOnly ?? []),
    optional(idleTimeout),
    optional(absoluteTimeout),
    ...counted(without),
  ];
}

export function encodedNames(fields: readonly string[]): string {
  return fields.map(encodeName).join(" ");
}
