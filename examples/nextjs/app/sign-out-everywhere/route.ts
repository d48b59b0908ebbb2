import { redirected, withSession } from "@/lib/sessions.ts";

export const POST = withSession(async (session) => {
  const devices = await session.peers("user_id");
  await devices?.clear({ except: session.id() });
  await session.delete(); // last, so that a failure before it can be tried again
  return redirected("/sign-in");
});
