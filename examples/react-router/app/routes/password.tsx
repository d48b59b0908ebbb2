import { data, Form, redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import { changePassword } from "../users.server.ts";
import type { Route } from "./+types/password.ts";

export async function action({ request, context }: Route.ActionArgs) {
  if (!changePassword(await request.formData())) {
    const message = "The password is wrong, or the new one is missing.";
    return data({ message }, { status: 422 });
  }
  // Ends the user's other sessions, and gives this one a new token.
  await context.get(sessionContext).changeCredentials("user_id");
  return redirect("/");
}

export default function Password({ actionData }: Route.ComponentProps) {
  return (
    <>
      <title>Change the password</title>
      <h1>Change the password</h1>
      <p role="status">{actionData?.message}</p>
      <Form method="post">
        <input name="password" type="password" aria-label="The old password" />
        <input name="new_password" type="password" aria-label="The new password" />
        <button type="submit">Change it</button>
      </Form>
    </>
  );
}
