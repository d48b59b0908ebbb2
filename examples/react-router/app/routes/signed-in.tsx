import { Outlet, redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/signed-in.ts";

/** Sends who isn't signed in to the form, before any loader or action of the routes below runs. */
const requireUser: Route.MiddlewareFunction = async ({ context }) => {
  const { user_id } = await context.get(sessionContext).get(["user_id"]);
  if (user_id === undefined) throw redirect("/sign-in");
};

export const middleware = [requireUser];

export default Outlet;
