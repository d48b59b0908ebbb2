import { signInAndGo, signOut } from "@/app/actions.ts";
import { currentSession } from "@/lib/sessions.ts";
import { StayForm } from "./stay-form.tsx";

export const metadata = { title: "Sign in by an action" };

/** Forms whose actions are functions on the server. They work without scripts, too. */
export default async function Join() {
  const { user_id } = await (await currentSession()).get(["user_id"]);
  if (user_id !== undefined) {
    return (
      <>
        <h1>Signed in</h1>
        <form action={signOut}>
          <button type="submit">Sign out</button>
        </form>
        <StayForm />
      </>
    );
  }
  return (
    <>
      <h1>Sign in by an action</h1>
      <form action={signInAndGo}>
        <input name="name" defaultValue="ada" />
        <input name="password" type="password" defaultValue="correct horse" />
        <button type="submit">Sign in and go</button>
      </form>
      <StayForm />
    </>
  );
}
