/** How many slots a cluster has. */
export const SLOTS = 16_384;

/** A key that is in a slot, by trying: it takes SLOTS tries on average. */
export function slotKey(slot: number): string {
  const known = found.get(slot);
  if (known !== undefined) return known;
  for (let n = 0; ; n++) {
    if (crc16(String(n)) % SLOTS !== slot) continue;
    const key = `{${n}}:`;
    found.set(slot, key);
    return key;
  }
}

const found = new Map<number, string>();

/** CRC-16/XMODEM, as the specification of Redis Cluster has it. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return crc & 0xffff;
}
