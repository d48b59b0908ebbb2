import type { Session } from "session-sets";
import type { Context, Data } from "./context.ts";
import type { User } from "./users/users.ts";
import type { Html } from "./views/html.ts";
import type { Page } from "./views/layout.ts";
import { renderCorner, renderEmptyCorner } from "./views/store.ts";
import { show } from "./web.ts";

/** A request of a signed-in user. */
export interface Visit {
  readonly user: User;
  readonly session: Pick<Session<Data>, "lineage" | "data">;
}

/** Answers a signed-in user with a page, and with what is in the store of their own sessions. */
export async function showTo(ctx: Context, visit: Visit, page: Page, status = 200): Promise<void> {
  show(ctx, { ...page, corner: await readCorner(ctx, visit) }, status);
}

/** Answers a visitor who isn't signed in, of whom nothing is in the store. */
export function showToVisitor(ctx: Context, page: Page, status = 200): void {
  show(ctx, { ...page, corner: renderEmptyCorner(ctx.state.store) }, status);
}

/** Reads what is in the store of a user's sessions, and marks what is new since the session saw it last. */
export async function readCorner(ctx: Context, { user, session }: Visit): Promise<Html> {
  const { store, shownChanges } = ctx.state;
  const changes = shownChanges.of(session.lineage);
  // Whatever the fault of the store is, the rest of the page is of use.
  const reading = await store.read(user.id, changes.ids).catch(() => null);
  const marked = reading && changes.compare(reading);
  return renderCorner({ store, marked, here: session.lineage });
}
