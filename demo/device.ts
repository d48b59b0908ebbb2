import Bowser from "bowser";

/** The description of a browser in the list of devices. */
export interface Device {
  /** Short, unlike a User-Agent: Redis keeps a session compact only while its values have up to 64 bytes. */
  readonly device: string;
  readonly kind: "desktop" | "phone";
}

/** Describes a device, such as "Firefox on Windows", by its User-Agent header, which may hold anything. */
export function describeDevice(userAgent: string): Device {
  const { browser, os, platform } = Bowser.parse(userAgent.slice(0, 512) || "unknown");
  const system = platform.vendor === "Apple" && platform.model ? platform.model : os.name;
  const name = browser.name || "Unknown browser";
  return {
    device: shorten(system ? `${name} on ${system}` : name),
    kind: platform.type === "mobile" || platform.type === "tablet" ? "phone" : "desktop",
  };
}

/** Shortens a text to 40 characters and 64 bytes. */
function shorten(text: string): string {
  const bytes = Buffer.from(text.slice(0, 40)).subarray(0, 64);
  return new TextDecoder().decode(bytes, { stream: true }); // drops a character that was cut in half
}
