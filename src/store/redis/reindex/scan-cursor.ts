import { misconfigured } from "../../../shared/errors.ts";

/** Over what is walked. */
export interface Place {
  readonly shards: number;
  readonly cluster: boolean;
}

/** Where a walk is: in the middle of a server's keys. */
export interface Position {
  /** The run id of the server. */
  readonly server: string;
  /** SCAN's cursor there. */
  readonly scan: string;
  /** The shards that the server has had since its walk began. */
  readonly shards: ReadonlySet<number>;
  /** The shards that were walked over. */
  readonly done: ReadonlySet<number>;
}

const CURSOR = /^([0-9a-f]{40})\.(\d{1,20})\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)$/;

/** A position as one text. Sets of shards are bits in base64url. */
export function textOf({ server, scan, shards, done }: Position): string {
  return [server, scan, bits(shards), bits(done)].join(".");
}

/** @throws SessionError ERR_SESSION_CONFIG for what is no text of a position. */
export function positionOf(text: string | null, shards: number): Position {
  if (text === null) return { server: "", scan: "0", shards: new Set(), done: new Set() };
  const [, server, scan, at, done] = CURSOR.exec(text) ?? [];
  if (server === undefined || scan === undefined || at === undefined || done === undefined) {
    throw misconfigured("cursor must be the cursor of an earlier progress, or null", {
      option: "cursor",
    });
  }
  return { server, scan, shards: ofBits(at, shards), done: ofBits(done, shards) };
}

function bits(shards: ReadonlySet<number>): string {
  const bytes = Buffer.alloc((Math.max(-1, ...shards) >> 3) + 1);
  for (const shard of shards) bytes[shard >> 3] = (bytes[shard >> 3] ?? 0) | (1 << (shard & 7));
  return bytes.toString("base64url");
}

function ofBits(text: string, shards: number): Set<number> {
  const bytes = Buffer.from(text, "base64url");
  const set = new Set<number>();
  for (let shard = 0; shard < shards; shard++) {
    if ((bytes[shard >> 3] ?? 0) & (1 << (shard & 7))) set.add(shard);
  }
  return set;
}
