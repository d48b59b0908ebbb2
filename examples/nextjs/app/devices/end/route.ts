import { redirectTo, withSession } from "@/lib/sessions.ts";

export const POST = withSession(async (session, form) => {
  const devices = await session.peers("user_id");
  await devices?.delete(String(form.lineage)); // ends sessions of this user only
  return redirectTo("/");
});
