import { redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/sign-out-everywhere.ts";

export async function action({ context }: Route.ActionArgs) {
  await context.get(sessionContext).signOutEverywhere("user_id");
  return redirect("/sign-in");
}
