import { redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/sign-out.ts";

export async function action({ context }: Route.ActionArgs) {
  await context.get(sessionContext).delete();
  return redirect("/sign-in");
}
