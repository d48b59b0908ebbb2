import { Form, Link, redirect } from "react-router";
import { sessionContext } from "../sessions.server.ts";
import type { Route } from "./+types/devices.ts";

export async function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  const here = await session.load();
  const devices = await session.peers("user_id");
  if (!here || !devices) throw redirect("/sign-in");
  const list = await devices.list();
  return list.map(({ lineage, data, lastSeenAt }) => ({
    // Unlike the id, the lineage stays the same when the session gets a new token.
    lineage,
    text: `${data.device}, last seen ${lastSeenAt.toISOString()}`,
    isHere: lineage === here.lineage,
  }));
}

export default function Devices({ loaderData }: Route.ComponentProps) {
  return (
    <>
      <title>Your devices</title>
      <h1>Your devices</h1>
      <ul>
        {loaderData.map(({ lineage, text, isHere }) => (
          <li key={lineage}>
            {`${text} `}
            {isHere ? (
              "(this one)"
            ) : (
              <Form method="post" action="/devices/end">
                <input type="hidden" name="lineage" value={lineage} />
                <button type="submit">Sign out</button>
              </Form>
            )}
          </li>
        ))}
      </ul>
      <Form method="post" action="/devices/end-others">
        <button type="submit">Sign out the others</button>
      </Form>
      <Form method="post" action="/sign-out">
        <button type="submit">Sign out here</button>
      </Form>
      <Form method="post" action="/sign-out-everywhere">
        <button type="submit">Sign out everywhere</button>
      </Form>
      <Link to="/password">Change the password</Link>
    </>
  );
}
