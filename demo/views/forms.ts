import type { Sample, User } from "../users/users.ts";
import { type Html, html, type Part } from "./html.ts";
import { alert, form, type Page, status } from "./layout.ts";

interface FormPage {
  readonly csrf: string;
  readonly name?: string;
  readonly remember?: boolean;
  readonly problem?: string | undefined;
  readonly flash?: string | undefined;
}

export function signInPage({
  csrf,
  name,
  remember,
  problem,
  flash,
  sample,
}: FormPage & { readonly sample: Sample | null }): Page {
  const fields = html`${alert(problem)}
${nameField(name)}
${passwordField("password", "Password", "current-password")}
<label class="check"><input type="checkbox" name="remember" value="yes"${remember && html` checked`}> Remember me on this device</label>
<button class="primary">Sign in</button>`;
  return {
    title: "Sign in",
    body: html`${status(flash)}
<section class="card narrow">
<h1>Sign in</h1>
<p class="lead">Sign in here and in a second, private window. Then end one from the other, and watch it leave.</p>
${sample && describeSample(sample)}
${form("/sign-in", csrf, fields)}
<p class="aside">New here? <a href="/sign-up">Create an account</a></p>
</section>`,
  };
}

function describeSample({ name, password }: Sample): Part {
  return html`<p class="guide">To try it, sign in as <code>${name}</code> with the password <code>${password}</code>.</p>`;
}

export function signUpPage({ csrf, name, problem }: FormPage): Page {
  const fields = html`${alert(problem)}
${nameField(name)}
${passwordField("password", "Password", "new-password")}
<button class="primary">Create account</button>`;
  return {
    title: "Create an account",
    body: html`<section class="card narrow">
<h1>Create an account</h1>
${form("/sign-up", csrf, fields)}
<p class="aside">Already have one? <a href="/sign-in">Sign in</a></p>
</section>`,
  };
}

export function passwordPage({ csrf, user, problem }: FormPage & { user: User }): Page {
  const fields = html`${alert(problem)}
<input name="name" value="${user.name}" autocomplete="username" hidden>
${passwordField("current", "Current password", "current-password")}
${passwordField("new", "New password", "new-password")}
<button class="primary">Change password</button>`;
  return {
    title: "Change password",
    user,
    csrf,
    body: html`<section class="card narrow">
<h1>Change password</h1>
<p class="lead">Your other devices are signed out. This one stays signed in, with a new token: watch its id change in the store.</p>
${form("/password", csrf, fields)}
</section>`,
  };
}

function nameField(name: string | undefined): Html {
  return html`<label>Name <input name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>`;
}

function passwordField(name: string, label: string, autocomplete: string): Html {
  const minLength = autocomplete === "new-password" && html` minlength="8"`;
  const hint = minLength && html`<small>At least 8 characters</small>`;
  return html`<label>${label} ${hint}<input type="password" name="${name}" autocomplete="${autocomplete}"${minLength} required></label>`;
}
