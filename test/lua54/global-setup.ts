/* Installs Lua 5.4, where it is missing, before any test's clock runs. */
import { provideLua } from "./stand-in.ts";

export default function setup(): void {
  provideLua();
}
