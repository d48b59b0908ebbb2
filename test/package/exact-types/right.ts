/* Code that compiles where optional properties are exact. Compiled, never run. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSessions } from "session-sets";
import { csrfGuard, expressSessions } from "session-sets/express";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { koaSessions } from "session-sets/koa";
import { nodeSessions } from "session-sets/node";

interface Data {
  user_id?: number;
  ip?: string;
  theme?: "dark" | "light";
}

const sessions = createSessions<Data>({ references: { user_id: {} } });

/** Fields that may be undefined, as programs have them. */
interface Given {
  readonly ip: string | undefined;
  readonly theme: "dark" | undefined;
  readonly token: string | undefined;
  readonly touch: boolean;
}

export async function change({ ip, theme, token, touch }: Given): Promise<void> {
  await sessions.create({ ip });
  await sessions.create({ user_id: 1, ip, theme });
  await sessions.set(token, { ip, theme });
  await sessions.signIn(token, { user_id: 1, ip });
  await sessions.rotate(token, { ip });
  await sessions.get(token, { touch });
  // @ts-expect-error: no value of the field
  await sessions.create({ ip: 1 });
}

export async function changeOfRequest(
  req: IncomingMessage,
  res: ServerResponse,
  { ip, theme, touch }: Given,
): Promise<void> {
  const session = nodeSessions(sessions)(req, res);
  await session.set({ ip, theme });
  await session.signIn({ user_id: 1, ip });
  await session.rotate({ ip, theme });
  await session.get(undefined, { touch });
  await session.delete({ keep: ["theme"], clearSiteData: ["cache"] });
}

/** Options are made of what may be configured, too. */
export function adapters(): unknown[] {
  return [
    koaSessions(sessions, { signed: true }),
    expressSessions(sessions, { cookie: { formerNames: ["sid"] } }),
    honoSessions(sessions, { trustProxy: true }),
    fetchSessions(sessions, { carriers: ["bearer"] }),
    csrfGuard({ exempt: (req) => req.url === "/webhook" }),
  ];
}
