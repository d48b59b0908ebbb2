import { createHmac, timingSafeEqual } from "node:crypto";

/** Signs texts and checks signatures. A Keygrip has this shape. */
export interface Signer {
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

/** HMAC-SHA-256 with the first key. Signatures made with the other keys are valid, too. */
export function createSigner(keys: readonly [string, ...string[]]): Signer {
  const sign = (text: string, key: string) =>
    createHmac("sha256", key).update(text).digest("base64url");
  return {
    sign: (text) => sign(text, keys[0]),
    verify: (text, signature) => keys.some((key) => isEqual(sign(text, key), signature)),
  };
}

/** Whether two texts are equal. The time it takes does not tell where they differ. */
export function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
