/* A provider of OpenID Connect, as small as the code flow with PKCE and back-channel logout allow. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export const CLIENT = { id: "shop", secret: "a secret: of the shop" };

export interface Provider {
  readonly issuer: string;
  /** The session at the provider of the last sign-in. */
  readonly sid: string;
  /** Runs while a code is exchanged. */
  meanwhile: () => Promise<void>;
  /** A token with these claims, and those that every token of this provider has. */
  createToken(claims: object): string;
}

/** Starts a provider at which everyone is signed in as "ada" already. It ends with the test. */
export async function startProvider(): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const codes = new Map<string, URLSearchParams>();
  const provider = { issuer: "", sid: "", meanwhile: async () => {}, createToken };

  function createToken(claims: object): string {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const all = { iss: provider.issuer, aud: CLIENT.id, exp, sub: "ada", ...claims };
    const signed = [{ alg: "RS256", kid: "k1" }, all].map(encode).join(".");
    const signature = sign("sha256", Buffer.from(signed), privateKey).toString("base64url");
    return `${signed}.${signature}`;
  }

  async function answer(req: IncomingMessage): Promise<{ location: string } | object> {
    const url = new URL(req.url ?? "", provider.issuer);
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return {
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/keys`,
        };
      case "/keys":
        return { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1" }] };
      case "/authorize": {
        const code = randomUUID();
        codes.set(code, url.searchParams);
        const back = new URL(url.searchParams.get("redirect_uri") ?? "");
        back.searchParams.set("state", url.searchParams.get("state") ?? "");
        back.searchParams.set("code", code);
        return { location: back.href };
      }
      case "/token":
        return { id_token: await exchange(req) };
      default:
        throw new Error(`there is no ${url.pathname}`);
    }
  }

  async function exchange(req: IncomingMessage): Promise<string> {
    const form = new URLSearchParams(await text(req));
    const asked = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const verifier = createHash("sha256").update(form.get("code_verifier") ?? "");
    const secret = [CLIENT.id, CLIENT.secret].map(encodeURIComponent).join(":");
    if (
      req.headers.authorization !== `Basic ${Buffer.from(secret).toString("base64")}` ||
      form.get("redirect_uri") !== asked?.get("redirect_uri") ||
      verifier.digest("base64url") !== asked?.get("code_challenge")
    ) {
      throw new Error("the code is not for this client");
    }
    provider.sid = randomUUID();
    await provider.meanwhile();
    return createToken({ sid: provider.sid, nonce: asked.get("nonce") });
  }

  const server = createServer((req, res) => {
    answer(req).then(
      (body) => {
        if ("location" in body) res.writeHead(302, { location: String(body.location) }).end();
        else res.end(JSON.stringify(body));
      },
      (error) => res.writeHead(400).end(String(error)),
    );
  }).listen(0);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  provider.issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  return provider;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
