import { redirected, withSession } from "@/lib/sessions.ts";

export const POST = withSession(async (session) => {
  await session.delete();
  return redirected("/sign-in");
});
