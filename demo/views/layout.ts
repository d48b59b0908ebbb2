import type { User } from "../users/users.ts";
import { type Html, html, type Part } from "./html.ts";

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** What is in the store; left out on pages that need no session. */
  readonly corner?: Html;
  /** The signed-in user. The menu is shown only with one. */
  readonly user?: User;
  readonly csrf?: string;
}

/** Renders the whole document around a page. */
export function renderLayout({ title, body, corner, user, csrf }: Page, storeName: string): Html {
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
<body${corner && html` class="wide"`}>
<header>
<a class="brand" href="/" aria-label="session-sets"><img src="/icon.svg" alt="" width="28" height="28"><span>session-sets</span></a>
${user && menu(user, csrf)}
</header>
<div class="columns">
<main>${body}</main>
${corner && html`<aside aria-labelledby="store-title"><div id="store">${corner}</div></aside>`}
</div>
<footer><p>Sessions are kept in <strong>${storeName}</strong></p></footer>
</body>
</html>`;
}

function menu(user: User, csrf: string | undefined): Html {
  return html`<nav aria-label="Account">
<a href="/">Devices</a>
<a href="/password">Password</a>
${form("/sign-out", csrf, html`<button class="quiet" title="Signed in as ${user.name}">Sign out</button>`)}
</nav>`;
}

export function form(action: string, csrf: string | undefined, content: Part): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">${content}</form>`;
}

/** Something that is wrong. */
export function alert(problem: string | undefined): Part {
  return problem && html`<p class="alert" role="alert">${problem}</p>`;
}

/** Something that was done. */
export function status(flash: string | undefined): Part {
  return flash && html`<p class="flash" role="status">${flash}</p>`;
}
