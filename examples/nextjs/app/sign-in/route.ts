import { htmlPage, redirectTo, withSession } from "@/lib/sessions.ts";
import { authenticate } from "@/lib/users.ts";

// A route handler, not a page: without a session the form's token needs a cookie, which a page cannot set.
export const GET = withSession(async (session) => signInPage(session.createCSRFToken()));

export const POST = withSession(async (session, form, request) => {
  const values = authenticate(form, request.headers.get("user-agent"));
  if (!values) {
    return signInPage(session.createCSRFToken(), "The name or the password is wrong.", 422);
  }
  await session.signIn(values); // a new session, so a token that was planted before is useless
  return redirectTo("/");
});

function signInPage(csrf: string, message = "", status = 200): Response {
  const body = `<p>${message}</p>
    <form method="post" action="/sign-in"><input type="hidden" name="_csrf" value="${csrf}">
    <input name="name" value="ada"> <input name="password" type="password" value="correct horse">
    <button>Sign in</button></form>`;
  return htmlPage("Sign in", body, status);
}
