import { redirect } from "@sveltejs/kit";
import { requireUser } from "#lib/server/sessions.ts";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals }) => {
  const here = await locals.session.load();
  const devices = await locals.session.peers("user_id");
  if (!here || !devices) redirect(303, "/sign-in");
  const list = await devices.list();
  return {
    devices: list.map(({ lineage, data, lastSeenAt }) => ({
      // Unlike the id, the lineage stays the same when the session gets a new token.
      lineage,
      text: `${data.device}, last seen ${lastSeenAt.toISOString()}`,
      isHere: lineage === here.lineage,
    })),
  };
};

export const actions: Actions = {
  end: async ({ request, locals }) => {
    const devices = await (await requireUser(locals)).peers("user_id");
    const form = await request.formData();
    await devices?.delete(String(form.get("lineage"))); // ends sessions of this user only
    redirect(303, "/");
  },
  endOthers: async ({ locals }) => {
    await (await requireUser(locals)).signOutOthers("user_id");
    redirect(303, "/");
  },
  signOut: async ({ locals }) => {
    await locals.session.delete();
    redirect(303, "/sign-in");
  },
  signOutEverywhere: async ({ locals }) => {
    await (await requireUser(locals)).signOutEverywhere("user_id");
    redirect(303, "/sign-in");
  },
};
