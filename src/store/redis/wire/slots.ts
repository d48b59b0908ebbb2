export const SLOT_COUNT = 16_384;

/** The slot of a key in a cluster: the slot of its hash tag, which all keys of this store have. */
export function computeSlot(key: string): number {
  const [, tag = key] = /\{(.+?)\}/.exec(key) ?? [];
  return computeCRC16(tag) % SLOT_COUNT;
}

/** A key in a slot, found by trial: it takes SLOT_COUNT tries on average. */
export function findSlotKey(slot: number): string {
  const known = keysBySlot.get(slot);
  if (known !== undefined) return known;
  for (let n = 0; ; n++) {
    const key = `{${n}}:`;
    if (computeSlot(key) !== slot) continue;
    keysBySlot.set(slot, key);
    return key;
  }
}

const keysBySlot = new Map<number, string>();

/** CRC-16/XMODEM, as in the specification of Redis Cluster. */
function computeCRC16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return crc & 0xffff;
}
