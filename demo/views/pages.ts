import type { Session } from "session-sets";
import { type Data, MAX_DEVICES } from "../context.ts";
import { type Html, html, type Part } from "./html.ts";
import { formatAgo } from "./time.ts";
import type { User } from "../users.ts";

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** The signed-in user. The menu is shown only with one. */
  readonly user?: User;
  readonly csrf?: string;
}

/** Renders the whole document around a page. */
export function renderLayout({ title, body, user, csrf }: Page, storeName: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · session-sets demo</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
${user && html`<script src="/live.js" defer></script>`}
</head>
<body>
<header>
<a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28"><span>session-sets</span></a>
${user && menu(user, csrf)}
</header>
<main>${body}</main>
<footer><p>Sessions are kept in <strong>${storeName}</strong></p></footer>
</body>
</html>`;
}

function menu(user: User, csrf: string | undefined): Html {
  return html`<nav>
<a href="/">Devices</a>
<a href="/password">Password</a>
${form("/sign-out", csrf, html`<button class="quiet" title="Signed in as ${user.name}">Sign out</button>`)}
</nav>`;
}

function form(action: string, csrf: string | undefined, content: Part): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">${content}</form>`;
}

interface FormPage {
  readonly csrf: string;
  readonly name?: string;
  readonly remember?: boolean;
  readonly problem?: string | undefined;
  readonly flash?: string | undefined;
}

/** Why a device is at the sign-in page, by how its session has ended; undefined for all other words. */
export function describeEnding(how: unknown): string | undefined {
  return typeof how === "string" && Object.hasOwn(ENDINGS, how) ? ENDINGS[how] : undefined;
}

const SIGNED_OUT = "This device was signed out.";
const ENDINGS: Readonly<Record<string, string>> = {
  delete: SIGNED_OUT,
  clear: SIGNED_OUT,
  unknown: SIGNED_OUT,
  limit: `This device was signed out, because at most ${MAX_DEVICES} can be signed in and it was the oldest.`,
  trim: "This device was signed out, because only the newest were kept.",
  expire: "Your session has expired.",
};

export function signInPage({ csrf, name, remember, problem, flash }: FormPage): Page {
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
${form("/sign-in", csrf, fields)}
<p class="aside">New here? <a href="/sign-up">Create an account</a></p>
</section>`,
  };
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
<p class="lead">Your other devices are signed out. This one stays signed in.</p>
${form("/password", csrf, fields)}
</section>`,
  };
}

function alert(problem: string | undefined): Part {
  return problem && html`<p class="alert" role="alert">${problem}</p>`;
}

function status(flash: string | undefined): Part {
  return flash && html`<p class="flash" role="status">${flash}</p>`;
}

function nameField(name: string | undefined): Html {
  return html`<label>Name <input name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>`;
}

function passwordField(name: string, label: string, autocomplete: string): Html {
  const minLength = autocomplete === "new-password" && html` minlength="8"`;
  const hint = minLength && html`<small>At least 8 characters</small>`;
  return html`<label>${label} ${hint}<input type="password" name="${name}" autocomplete="${autocomplete}"${minLength} required></label>`;
}

/** How many devices the button that keeps the newest keeps. */
export const KEPT_DEVICES = 2;

interface DevicesPage {
  readonly csrf: string;
  readonly user: User;
  readonly flash: string | undefined;
  /** The session of the request. */
  readonly here: Session<Data>;
  readonly count: number;
  readonly sessions: readonly Session<Data>[];
}

export function devicesPage({ csrf, user, flash, here, count, sessions }: DevicesPage): Page {
  const isHere = ({ lineage }: Session<Data>) => lineage === here.lineage;
  const others = sessions.filter((session) => !isHere(session));
  const rows = [...sessions.filter(isHere), ...others].map((session) =>
    deviceRow(session, { here: isHere(session), csrf }),
  );
  const devices = count === 1 ? "One device is" : `${count} devices are`;
  const unknown = count > 1 && " Sign out any that you do not recognise.";
  return {
    title: "Your devices",
    user,
    csrf,
    body: html`${status(flash)}
<section class="card">
<h1>Your devices</h1>
<p class="lead">${devices} signed in as <strong>${user.name}</strong>.${unknown}</p>
<ul class="devices">${rows}</ul>
<p class="aside">At most ${MAX_DEVICES} devices can be signed in. One more signs the oldest out.</p>
<div class="actions">
${count > KEPT_DEVICES && form("/devices/keep-newest", csrf, html`<button>Keep only the ${KEPT_DEVICES} newest</button>`)}
${others.length > 0 && form("/devices/end-others", csrf, html`<button>Sign out all others</button>`)}
${form("/devices/end-all", csrf, html`<button class="danger">Sign out everywhere</button>`)}
</div>
</section>`,
  };
}

function deviceRow(
  { lineage, data, createdAt, lastSeenAt }: Session<Data>,
  { here, csrf }: { readonly here: boolean; readonly csrf: string },
): Html {
  const end = html`<input type="hidden" name="lineage" value="${lineage}"><button aria-label="Sign out ${data.device}">Sign out</button>`;
  return html`<li${here && html` class="here"`}>
${data.kind === "phone" ? PHONE_ICON : DESKTOP_ICON}
<div>
<h2>${data.device}${here && html` <span class="badge">This device</span>`}</h2>
<dl>
<div><dt class="unseen">Address</dt><dd>${data.address}</dd></div>
<div><dt>First seen</dt><dd>${formatAgo(createdAt)}</dd></div>
<div><dt>Last seen</dt><dd>${formatAgo(lastSeenAt)}</dd></div>
</dl>
</div>
${!here && form("/devices/end", csrf, end)}
</li>`;
}

const DESKTOP_ICON = html`<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="3" y="4" width="18" height="12" rx="2"/><path d="M8 20h8M12 16v4"/></svg>`;
const PHONE_ICON = html`<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M11 18.5h2"/></svg>`;

const ERRORS: Readonly<Record<number, readonly [title: string, text: string]>> = {
  403: ["This form is no longer valid", "Go back, reload the page and send it again."],
  404: ["Nothing here", "There is no page at this address."],
  409: ["You were signed out", "Your session ended while this page was loading."],
  413: ["That is too much", "The form is larger than this app accepts."],
  500: ["Something went wrong", "The error is ours, and it is in the log."],
  503: [
    "Back in a moment",
    "Your session cannot be reached right now. You are still signed in. Try again soon.",
  ],
};

export function errorPage(status: number): Page {
  const [title, text] = ERRORS[status] ??
    ERRORS[500 * Number(status >= 500)] ?? [
      "That did not work",
      "This app does not understand the request.",
    ];
  return {
    title,
    body: html`<section class="card narrow">
<h1>${title}</h1>
<p class="lead">${text}</p>
<p class="aside"><a href="/">Go to your devices</a></p>
</section>`,
  };
}
