import type { ReactNode } from "react";
import { Outlet, Scripts } from "react-router";
import { withSession } from "./sessions.server.ts";

// It runs around each request: of a page, of its data, and of an action.
export const middleware = [withSession];

// The data of a page asks the server only where a route has a loader, and so does the middleware.
export const loader = () => null;

export function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        {children}
        <Scripts />
      </body>
    </html>
  );
}

export default function Root() {
  return <Outlet />;
}
