"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { actionSession } from "@/lib/sessions.ts";
import { authenticate } from "@/lib/users.ts";

// Next.js itself refuses actions from pages of other origins, so the forms need no CSRF token.

/** Signs in and stays on the page. The answer to the action brings the updated page. */
export async function signIn(_before: string, form: FormData): Promise<string> {
  const values = authenticate(Object.fromEntries(form), (await headers()).get("user-agent"));
  if (!values) return "The name or the password is wrong.";
  const session = await actionSession();
  await session.signIn(values);
  return "You are signed in.";
}

/** Signs in and goes on to the devices. The cookie goes out with the redirect. */
export async function signInAndGo(form: FormData): Promise<void> {
  const values = authenticate(Object.fromEntries(form), (await headers()).get("user-agent"));
  if (!values) redirect("/join?wrong");
  const session = await actionSession();
  await session.signIn(values);
  redirect("/");
}

/** Signs out and goes to the form. */
export async function signOut(): Promise<void> {
  const session = await actionSession();
  await session.delete();
  redirect("/join");
}
