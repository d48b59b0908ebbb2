const SLOTS = 16_384;

/** The slot of a cluster that a key is in: CRC16 (XMODEM) of its hash tag, which all our keys have. */
export function slotOf(key: string): number {
  const [, tag = key] = /\{(.+?)\}/.exec(key) ?? [];
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
    crc &= 0xffff;
  }
  return crc % SLOTS;
}
