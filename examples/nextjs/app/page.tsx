import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { currentSession } from "@/lib/sessions.ts";

export const metadata = { title: "Your devices" };

export default async function Devices() {
  const session = await currentSession();
  const here = await session.load();
  const devices = await session.peers("user_id");
  if (!here || !devices) redirect("/sign-in");
  const csrf = session.createCSRFToken();

  return (
    <>
      <h1>Your devices</h1>
      <ul>
        {(await devices.list()).map(({ lineage, data, lastSeenAt }) => (
          <li key={lineage}>
            {`${data.device}, last seen ${lastSeenAt.toISOString()} `}
            {lineage === here.lineage ? (
              "(this one)"
            ) : (
              <Form action="/devices/end" csrf={csrf} button="Sign out">
                <input type="hidden" name="lineage" value={lineage} />
              </Form>
            )}
          </li>
        ))}
      </ul>
      <Form action="/devices/end-others" csrf={csrf} button="Sign out the others" />
      <Form action="/sign-out" csrf={csrf} button="Sign out here" />
      <Form action="/sign-out-everywhere" csrf={csrf} button="Sign out everywhere" />
      <a href="/password">Change the password</a>
    </>
  );
}

interface FormProps {
  action: string;
  csrf: string;
  button: string;
  children?: ReactNode;
}

/** A plain HTML form, which works without scripts. */
function Form({ action, csrf, button, children }: FormProps) {
  return (
    <form method="post" action={action}>
      <input type="hidden" name="_csrf" value={csrf} />
      {children}
      <button type="submit">{button}</button>
    </form>
  );
}
