import { createCursorError } from "../../../shared/errors.ts";

/** The keys to scan: those of all shards, on one server or in a cluster. */
export interface ScanScope {
  readonly shards: number;
  readonly cluster: boolean;
}

/** The place of a scan among a server's keys. */
export interface ScanPosition {
  /** The run id of the server. */
  readonly server: string;
  /** The server's SCAN cursor. */
  readonly scan: string;
  /** The shards that the server has had since its SCAN began. */
  readonly shards: ReadonlySet<number>;
  /** The shards that were scanned completely. */
  readonly done: ReadonlySet<number>;
}

const CURSOR_PATTERN = /^([0-9a-f]{40})\.(\d{1,20})\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)$/;

/** Encodes a position as one text. Sets of shards are bits in base64url. */
export function encodeCursor({ server, scan, shards, done }: ScanPosition): string {
  return [server, scan, encodeShardSet(shards), encodeShardSet(done)].join(".");
}

/** @throws SessionError ERR_SESSION_CONFIG for a text that isn't an encoded position. */
export function decodeCursor(text: string | null, shards: number): ScanPosition {
  if (text === null) return { server: "", scan: "0", shards: new Set(), done: new Set() };
  const [, server, scan, at, done] = CURSOR_PATTERN.exec(text) ?? [];
  if (server === undefined || scan === undefined || at === undefined || done === undefined) {
    throw createCursorError();
  }
  return { server, scan, shards: decodeShardSet(at, shards), done: decodeShardSet(done, shards) };
}

function encodeShardSet(shards: ReadonlySet<number>): string {
  const bytes = Buffer.alloc((Math.max(-1, ...shards) >> 3) + 1);
  for (const shard of shards) bytes[shard >> 3] = (bytes[shard >> 3] ?? 0) | (1 << (shard & 7));
  return bytes.toString("base64url");
}

function decodeShardSet(text: string, shards: number): Set<number> {
  const bytes = Buffer.from(text, "base64url");
  const set = new Set<number>();
  for (let shard = 0; shard < shards; shard++) {
    if ((bytes[shard >> 3] ?? 0) & (1 << (shard & 7))) set.add(shard);
  }
  return set;
}
