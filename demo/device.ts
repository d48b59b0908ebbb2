import Bowser from "bowser";

/** What the list of devices says about a browser. */
export interface Device {
  /** Short enough for Redis to keep the session compact (values up to 64 bytes), unlike a User-Agent. */
  readonly device: string;
  readonly kind: "desktop" | "phone";
}

/** "Firefox on Windows", from a User-Agent header, which may be anything. */
export function describeDevice(userAgent: string): Device {
  const { browser, os, platform } = Bowser.parse(userAgent.slice(0, 512) || "unknown");
  const system = platform.vendor === "Apple" && platform.model ? platform.model : os.name;
  const name = browser.name || "Unknown browser";
  return {
    device: shorten(system ? `${name} on ${system}` : name),
    kind: platform.type === "mobile" || platform.type === "tablet" ? "phone" : "desktop",
  };
}

/** The first 40 characters, or as many of them as 64 bytes hold. */
function shorten(text: string): string {
  const bytes = Buffer.from(text.slice(0, 40)).subarray(0, 64);
  return new TextDecoder().decode(bytes, { stream: true }); // leaves out half a character
}
