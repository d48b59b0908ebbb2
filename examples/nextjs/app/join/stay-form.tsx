"use client";

import { useActionState } from "react";
import { signIn } from "@/app/actions.ts";

/** Signs in without leaving the page. */
export function StayForm() {
  const [message, action] = useActionState(signIn, "");
  return (
    <form action={action}>
      <p role="status">{message}</p>
      <input name="name" defaultValue="ada" />
      <input name="password" type="password" defaultValue="correct horse" />
      <button type="submit">Sign in and stay</button>
    </form>
  );
}
