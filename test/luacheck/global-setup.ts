/* Installs luacheck, where it is missing, before any test's clock runs. */
import { provideLuacheck } from "./program.ts";

export default function setup(): void {
  provideLuacheck();
}
