/* A process that serves one app, and tells what that costs it. */
import { APPS } from "../http/list.ts";
import { readSocketCounts, watchSockets } from "../measure/socket-writes.ts";
import { serve } from "./calls.ts";

export const appCalls = {
  /** Starts the app. Its port. */
  open(workload: string, subject: string, url: string): Promise<number> {
    const app = APPS.find((one) => one.workload === workload && one.subject === subject);
    if (!app) throw new Error(`There is no app of ${subject} for ${workload}.`);
    watchSockets(url);
    return app.start({ url });
  },

  /** What this process has used and sent until now. */
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpu: user + system, ...readSocketCounts() };
  },
};

serve(appCalls);
