import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { nodeSessions } from "session-sets/node";
import { makeRecord } from "../record.ts";
import { type AppOptions, readUser } from "./app.ts";
import { openBareSessions } from "./bare-sessions.ts";
import { openOurSessions } from "./our-sessions.ts";

type Answer = (...args: Parameters<RequestListener>) => Promise<string>;

async function listen(answer: Answer): Promise<number> {
  const server = createServer((req, res) => {
    answer(req, res).then(
      (text) => res.end(text),
      (error) => res.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const isLogin = (path = "") => path.startsWith("/login");

export function startBare({ url }: AppOptions): Promise<number> {
  const sessions = openBareSessions(url);
  return listen(async (req, res) => {
    if (!isLogin(req.url)) return sessions.readName(req.headers.cookie);
    res.setHeader("Set-Cookie", await sessions.signIn(readUser(req.url ?? "")));
    return "signed in";
  });
}

export function startOurs({ url }: AppOptions): Promise<number> {
  const sessionOf = nodeSessions(openOurSessions(url));
  return listen(async (req, res) => {
    const session = sessionOf(req, res);
    if (!isLogin(req.url)) return (await session.get()).name ?? "";
    await session.signIn(makeRecord(readUser(req.url ?? "")));
    return "signed in";
  });
}
