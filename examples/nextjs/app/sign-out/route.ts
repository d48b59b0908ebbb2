import { redirectTo, withSession } from "@/lib/sessions.ts";

export const POST = withSession(async (session) => {
  await session.delete();
  return redirectTo("/sign-in");
});
