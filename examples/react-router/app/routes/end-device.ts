import { redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/end-device.ts";

export async function action({ request, context }: Route.ActionArgs) {
  const devices = await context.get(sessionContext).peers("user_id");
  const form = await request.formData();
  await devices?.delete(String(form.get("lineage"))); // ends sessions of this user only
  return redirect("/");
}
