/* A real browser for the tests: the system's Chromium, driven by playwright-core. */
import { type Browser, type BrowserServer, chromium, type LaunchOptions } from "playwright-core";
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
  return chromium.launch(composeOptions());
}

/** Starts a headless browser for several processes, which connect to it by its address. */
export async function startBrowserServer(): Promise<BrowserServer> {
  return chromium.launchServer({ ...composeOptions(), host: "127.0.0.1" });
}

function composeOptions(): LaunchOptions {
  // Chromium's sandbox refuses to run as root, which is who runs tests in a container.
  const isRoot = process.getuid?.() === 0;
  return {
    executablePath: provideChromium(),
    args: isRoot ? [...FLAGS, "--no-sandbox"] : FLAGS,
  };
}
