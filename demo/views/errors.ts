import { html } from "./html.ts";
import type { Page } from "./layout.ts";

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
