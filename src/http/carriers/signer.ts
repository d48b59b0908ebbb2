import { createHmac, timingSafeEqual } from "node:crypto";

/** Signs texts and checks signatures. A Keygrip is one. */
export interface Signer {
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

/** HMAC-SHA-256 with the first of the keys; signatures made with the others are good, too. */
export function createSigner(keys: readonly [string, ...string[]]): Signer {
  const sign = (text: string, key: string) =>
    createHmac("sha256", key).update(text).digest("base64url");
  return {
    sign: (text) => sign(text, keys[0]),
    verify: (text, signature) => keys.some((key) => isEqual(sign(text, key), signature)),
  };
}

/** Whether two texts are the same, in a time that does not tell where they differ. */
export function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
