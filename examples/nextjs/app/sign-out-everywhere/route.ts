import { redirectTo, withSession } from "@/lib/sessions.ts";

export const POST = withSession(async (session) => {
  await session.signOutEverywhere("user_id");
  return redirectTo("/sign-in");
});
