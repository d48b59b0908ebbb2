import { htmlPage, redirectTo, withUser } from "@/lib/sessions.ts";
import { changePassword } from "@/lib/users.ts";

export const GET = withUser(async (session) => passwordPage(session.createCSRFToken()));

export const POST = withUser(async (session, form) => {
  if (!changePassword(form)) {
    const message = "The password is wrong, or the new one is missing.";
    return passwordPage(session.createCSRFToken(), message, 422);
  }
  // Ends the user's other sessions, and gives this one a new token.
  await session.changeCredentials("user_id");
  return redirectTo("/");
});

function passwordPage(csrf: string, message = "", status = 200): Response {
  const body = `<p>${message}</p>
    <form method="post" action="/password"><input type="hidden" name="_csrf" value="${csrf}">
    <input name="password" type="password" aria-label="The old password">
    <input name="new_password" type="password" aria-label="The new password">
    <button>Change it</button></form>`;
  return htmlPage("Change the password", body, status);
}
