import { fail, redirect } from "@sveltejs/kit";
import { authenticate } from "#lib/server/users.ts";
import type { Actions } from "./$types";

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const values = authenticate(await request.formData(), request.headers.get("user-agent"));
    if (!values) return fail(422, { message: "The name or the password is wrong." });
    await locals.session.signIn(values);
    redirect(303, "/");
  },
};
