import type { Session } from "session-sets";
import { type Data, MAX_DEVICES } from "../context.ts";
import type { User } from "../users/users.ts";
import { type Html, html } from "./html.ts";
import { form, type Page, status } from "./layout.ts";
import { formatAgo } from "./time.ts";

/** How many devices the button that keeps the newest keeps. */
export const KEPT_DEVICES = 2;

export interface Devices {
  readonly csrf: string;
  readonly user: User;
  /** The session that looks. */
  readonly here: Pick<Session<Data>, "lineage">;
  readonly sessions: readonly Session<Data>[];
}

export function devicesPage(devices: Devices, flash: string | undefined): Page {
  const { user, csrf, sessions } = devices;
  return {
    title: "Your devices",
    user,
    csrf,
    body: html`${status(flash)}
<p id="news" class="unseen" aria-live="polite">${countDevices(sessions.length)} signed in.</p>
<section class="card" id="devices">${renderDevices(devices)}</section>`,
  };
}

/** The list of devices and what can be done with them: the part of the page that is live. */
export function renderDevices({ csrf, user, here, sessions }: Devices): Html {
  const isHere = ({ lineage }: Session<Data>) => lineage === here.lineage;
  const others = sessions.filter((session) => !isHere(session));
  const rows = [...sessions.filter(isHere), ...others].map((session) =>
    deviceRow(session, { here: isHere(session), csrf }),
  );
  const unknown = others.length > 0 && " Sign out any that you do not recognise.";
  return html`<h1>Your devices</h1>
<p class="lead">${countDevices(sessions.length)} signed in as <strong>${user.name}</strong>.${unknown}</p>
<p class="guide">${guide(others.length)}</p>
<ul class="devices">${rows}</ul>
<p class="aside">At most ${MAX_DEVICES} devices can be signed in. One more signs the oldest out.</p>
<ul class="actions">
${
  sessions.length > KEPT_DEVICES &&
  action(
    `peers.trim({ keep: ${KEPT_DEVICES} })`,
    form(
      "/devices/keep-newest",
      csrf,
      html`<button id="keep-newest">Keep only the ${KEPT_DEVICES} newest</button>`,
    ),
  )
}
${
  others.length > 0 &&
  action(
    'signOutOthers("user_id")',
    form("/devices/end-others", csrf, html`<button id="end-others">Sign out all others</button>`),
  )
}
${action('changeCredentials("user_id")', html`<a class="button" id="change-password" href="/password">Change the password</a>`)}
${action(
  'signOutEverywhere("user_id")',
  form(
    "/devices/end-all",
    csrf,
    html`<button class="danger" id="end-all">Sign out everywhere</button>`,
  ),
)}
</ul>`;
}

export function countDevices(count: number): string {
  return count === 1 ? "One device is" : `${count} devices are`;
}

/** What to try next. */
function guide(others: number): string {
  if (others === 0) {
    return "Open this page in a second, private window and sign in there. It appears here by itself.";
  }
  if (others + 1 === MAX_DEVICES) {
    return `${MAX_DEVICES} devices are signed in. Sign in on one more, and watch the oldest leave.`;
  }
  const which = others === 1 ? "the other" : "another";
  return `Now sign ${which} window out from here. It leaves at once and says why, and its session is deleted from the store.`;
}

function action(call: string, control: Html): Html {
  return html`<li>${control}<code>${call}</code></li>`;
}

function deviceRow(
  { lineage, data, createdAt, lastSeenAt }: Session<Data>,
  { here, csrf }: { readonly here: boolean; readonly csrf: string },
): Html {
  const end = html`<input type="hidden" name="lineage" value="${lineage}"><button id="end-${lineage}" aria-label="Sign out ${data.device}">Sign out</button>`;
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
