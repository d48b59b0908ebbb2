import { fail, redirect } from "@sveltejs/kit";
import { requireUser } from "#lib/server/sessions.ts";
import { changePassword } from "#lib/server/users.ts";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals }) => {
  await requireUser(locals);
};

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const session = await requireUser(locals);
    if (!changePassword(await request.formData())) {
      return fail(422, { message: "The password is wrong, or the new one is missing." });
    }
    // Ends the user's other sessions, and gives this one a new token.
    await session.changeCredentials("user_id");
    redirect(303, "/");
  },
};
