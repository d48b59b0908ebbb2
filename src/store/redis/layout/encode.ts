import type { Command, Merge } from "../../commanding.ts";
import type { FieldChanges, Reference, Rotation } from "../../contract.ts";
import { encodeName, setName, setNames } from "./keys.ts";

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
    optional(idleTimeout),
    optional(absoluteTimeout),
    ...counted(without),
  ];
}

export function commandArguments(command: Command): string[] {
  const { where, idleTimeout, absoluteTimeout, absoluteDeadline, replace, create } = command;
  return [
    whereArgument(where),
    optional(idleTimeout),
    optional(absoluteTimeout),
    optional(absoluteDeadline),
    replace ? "1" : "",
    create === "anew" ? "anew" : create ? "1" : "",
    ...mergeArguments(command.merge),
    ...fieldChanges(command),
  ];
}

function mergeArguments(merge: Merge | null): string[] {
  return [
    merge?.to ?? "",
    String(merge?.tombstone ?? 0),
    encodedNames(merge?.identity ?? []),
    encodedNames(merge?.firstOnly ?? []),
  ];
}

export function whereArgument(where: Reference | undefined): string {
  return where ? setName(where) : "";
}

export function encodedNames(fields: readonly string[]): string {
  return fields.map(encodeName).join(" ");
}
