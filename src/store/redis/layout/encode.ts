import type { Command, Merge } from "../../commanding.ts";
import type { FieldChanges, FieldReferences, Fields, Reference, Rotation } from "../../contract.ts";
import type { Cause } from "../../feed.ts";
import { encodeName, encodeSetName, encodeSetNames } from "./keys.ts";

/* The arguments of the scripts. Each script's header describes them. */

export function encodeOptional(value: number | null | undefined): string {
  return String(value ?? "");
}

export function encodeList(list: readonly string[]): readonly string[] {
  return list.length === 0 ? EMPTY : [String(list.length), ...list];
}

/** Names and values, one after the other. */
export function encodeFields(fields: Fields): readonly string[] {
  if (fields.size === 0) return EMPTY;
  const list = [String(2 * fields.size)];
  for (const [name, text] of fields) list.push(name, text);
  return list;
}

const EMPTY: readonly string[] = ["0"];

export function encodeFieldChanges(
  { set, unset, references, maxBytes }: FieldChanges,
  bounds: readonly string[] = [],
): string[] {
  return [
    String(maxBytes),
    ...encodeList(
      references.flatMap((reference) => [
        encodeName(reference.field),
        encodeSetNames(reference).join(" "),
      ]),
    ),
    ...encodeLimits(references, bounds),
    ...encodeFields(set),
    ...encodeList(unset),
  ];
}

/** Changes of fields alone. */
export function encodeUpdate({ set, unset, maxBytes }: FieldChanges): string[] {
  const args = [String(maxBytes), String(2 * set.size)];
  for (const [name, text] of set) args.push(name, text);
  return args.concat(unset);
}

/** @param bounds for each value with one: the name of its set, how many sessions, how many reserved. */
export function encodeLimits(
  references: readonly FieldReferences[],
  bounds: readonly string[],
): string[] {
  const limits = references.flatMap(({ field, limit }) =>
    limit
      ? [encodeName(field), field, String(limit.most), limit.whenFull === "reject" ? "1" : ""]
      : [],
  );
  return [...encodeList(limits), ...encodeList(bounds)];
}

export function encodeRotation(rotation: Rotation | null): readonly string[] {
  return rotation === null ? NO_ROTATION : composeRotation(rotation);
}

function composeRotation(rotation: Rotation | null): string[] {
  const { idleTimeout, absoluteTimeout, without = [] } = rotation?.replacement ?? {};
  return [
    rotation?.to ?? "",
    rotation?.when ?? "",
    String(rotation?.grace ?? 0),
    String(rotation?.tombstone ?? 0),
    encodeNames(rotation?.identity ?? []),
    encodeOptional(idleTimeout),
    encodeOptional(absoluteTimeout),
    encodeOptional(rotation?.asOf),
    encodeCause(rotation?.cause),
    (rotation?.leaving ?? []).join(" "),
    ...encodeList(without),
  ];
}

export function encodeCommand(command: Command, bounds: readonly string[]): string[] {
  const { where, idleTimeout, absoluteTimeout, absoluteDeadline, replace, create } = command;
  return [
    encodeWhere(where),
    encodeOptional(idleTimeout),
    encodeOptional(absoluteTimeout),
    encodeOptional(absoluteDeadline),
    replace ? "1" : "",
    create === "anew" ? "anew" : create ? "1" : "",
    ...encodeMerge(command.merge),
    ...encodeFieldChanges(command, bounds),
  ];
}

function encodeMerge(merge: Merge | null): string[] {
  return [
    merge?.to ?? "",
    String(merge?.tombstone ?? 0),
    encodeNames(merge?.identity ?? []),
    encodeNames(merge?.firstOnly ?? []),
  ];
}

export function encodeWhere(where: Reference | undefined): string {
  return where ? encodeSetName(where) : "";
}

export function encodeNames(fields: readonly string[]): string {
  return fields.map(encodeName).join(" ");
}

/** Who ends a session and why, as two words of a message: `-` for none, and a reason after `=`. */
export function encodeCause({ initiator, reason }: Cause = NO_CAUSE): string {
  const text = reason === null ? "-" : `=${encodeURIComponent(reason.toWellFormed())}`;
  return `${encodeURIComponent(initiator ?? "-")} ${text}`;
}

const NO_CAUSE: Cause = { initiator: null, reason: null };
const NO_ROTATION: readonly string[] = composeRotation(null);
