import { optionNames } from "../shared/errors.ts";
import type {
  Deadlines,
  ReadOptions,
  RotateOptions,
  SignInOptions,
  TouchOptions,
} from "./types.ts";

/* The names of the options that verbs take, with and without a request. */

export const READ_OPTIONS = optionNames<ReadOptions>({ touch: true });
export const TOUCH_OPTIONS = optionNames<TouchOptions>({ idleTimeout: true });
export const ROTATE_OPTIONS = optionNames<RotateOptions>({ grace: true });
export const DEADLINES = optionNames<Deadlines>({ idleTimeout: true, absoluteTimeout: true });
export const SIGN_IN_OPTIONS = optionNames<SignInOptions>({
  idleTimeout: true,
  absoluteTimeout: true,
  keep: true,
});
