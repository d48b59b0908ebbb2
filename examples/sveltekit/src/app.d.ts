import type { FetchSession } from "session-sets/fetch";
import type { Data } from "#lib/server/sessions.ts";

declare global {
  namespace App {
    interface Locals {
      session: FetchSession<Data, "user_id">;
    }
  }
}
