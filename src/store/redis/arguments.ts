import type { FieldChanges, Leaving } from "../contract.ts";
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

export function leavingArguments(leaving?: Leaving | null): string[] {
  return [String(leaving?.grace ?? 0), (leaving?.identity ?? []).map(encodeName).join(" ")];
}
