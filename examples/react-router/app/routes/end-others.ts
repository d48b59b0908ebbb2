import { redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/end-others.ts";

export async function action({ context }: Route.ActionArgs) {
  await context.get(sessionContext).signOutOthers("user_id");
  return redirect("/");
}
