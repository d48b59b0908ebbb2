/* Installs the browser, where it is missing, before any test's clock runs. */
import { provideChromium } from "../support/chromium.ts";

export default function setup(): void {
  provideChromium();
}
