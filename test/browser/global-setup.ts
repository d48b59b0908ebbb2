/* Installs the browser and the server, where they are missing, before any test's clock runs. */
import { provideChromium } from "../support/programs/chromium.ts";
import { serverProgram } from "../support/redis/server.ts";

export default function setup(): void {
  provideChromium();
  serverProgram();
}
