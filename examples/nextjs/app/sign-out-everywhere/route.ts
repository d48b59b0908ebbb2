import { redirectTo, withUser } from "@/lib/sessions.ts";

export const POST = withUser(async (session) => {
  await session.signOutEverywhere("user_id");
  return redirectTo("/sign-in");
});
