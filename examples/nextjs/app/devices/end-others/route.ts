import { redirectTo, withUser } from "@/lib/sessions.ts";

export const POST = withUser(async (session) => {
  await session.signOutOthers("user_id");
  return redirectTo("/");
});
