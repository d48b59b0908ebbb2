import { data, Form, redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import { authenticate } from "../users.server.ts";
import type { Route } from "./+types/sign-in.ts";

export async function action({ request, context }: Route.ActionArgs) {
  const values = authenticate(await request.formData(), request.headers.get("user-agent"));
  if (!values) return data({ message: "The name or the password is wrong." }, { status: 422 });
  await context.get(sessionContext).signIn(values);
  return redirect("/");
}

export default function SignIn({ actionData }: Route.ComponentProps) {
  return (
    <>
      <title>Sign in</title>
      <h1>Sign in</h1>
      <p role="status">{actionData?.message}</p>
      <Form method="post">
        <input name="name" defaultValue="ada" />
        <input name="password" type="password" defaultValue="correct horse" />
        <button type="submit">Sign in</button>
      </Form>
    </>
  );
}
