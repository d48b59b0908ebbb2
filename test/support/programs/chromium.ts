/* A real browser for the tests: the system's Chromium, driven by playwright-core. */
import { type Browser, chromium } from "playwright-core";
import { type Program, provideProgram } from "../../../scripts/programs.mjs";

const CHROMIUM: Program = {
  what: "Chromium",
  variable: "CHROMIUM_BIN",
  candidates: [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  // Without a font it draws no letters.
  packages: { apt: ["chromium", "fonts-liberation"], brew: null },
};

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  // Nothing that a test did not ask for goes over the network.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** The path of the browser, which is installed first where it is missing. */
export function provideChromium(): string {
  return provideProgram(CHROMIUM);
}

/** Starts a headless browser; each `newContext()` of it is a device with cookies of its own. */
export async function launchBrowser(): Promise<Browser> {
  // Chromium's sandbox refuses to run as root, which is who runs tests in a container.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: provideChromium(),
    args: isRoot ? [...FLAGS, "--no-sandbox"] : FLAGS,
  });
}
