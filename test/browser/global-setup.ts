/* Installs the browser and the server, where they are missing, and starts the browser of all tests. */
import type { TestProject } from "vitest/node";
import { provideChromium, startBrowserServer } from "../support/programs/chromium.ts";
import { serverProgram } from "../support/redis/server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The address at which the browser takes connections. */
    browser: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  provideChromium();
  serverProgram();
  const browser = await startBrowserServer();
  project.provide("browser", browser.wsEndpoint());
  return () => browser.close();
}
