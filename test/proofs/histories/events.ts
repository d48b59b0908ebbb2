import type { Data, Of, Refused, Seen } from "./calls.ts";

/** One moment of a call, as one session sees it. An event without an answer may have had any. */
export type Event =
  | {
      is: "create";
      id: string;
      values: Data;
      idle: number | null;
      absolute: number | null;
      answer?: Seen;
    }
  /** `touch`: the number of the read, whose second moment is `touch`. */
  | {
      is: "read";
      id: string;
      fields: readonly string[] | null;
      byName: boolean;
      answer: Seen | null;
      touch: number | null;
    }
  | { is: "touch"; id: string; answer: Seen | null; read: number }
  | {
      is: "change";
      id: string;
      values: Data;
      unset: readonly string[];
      idle: number | null;
      /** Whether it may have been let into a set for a moment, where the answer is that it is full. */
      mayEnter?: boolean;
      answer?: boolean | "full";
    }
  /** `replaces`: `to` is another session, or would be. */
  | {
      is: "rotate";
      id: string;
      to: string;
      values: Data;
      grace: number;
      replaces: boolean;
      mayEnter?: boolean;
      answer?: Seen | "ended" | Refused | null;
    }
  /** A sign-in, as the session that it ends sees it: `kept` has the fields it keeps, `at` is when. */
  | {
      is: "supersede";
      id: string;
      values: Data;
      keep: readonly string[];
      kept?: Data;
      at?: number;
      /** Whether it is known to have ended a session. */
      ends?: boolean;
    }
  | { is: "end"; id: string; of: Of | null; byName: boolean; answer?: boolean }
  | { is: "has"; id: string; of: Of; answer: boolean }
  /** The session was in the set: with `answer`, it was given like this. */
  | { is: "member"; of: Of; answer: Seen | string }
  /** The session was in the set or not. */
  | { is: "count"; of: Of; answer?: boolean }
  | { is: "change if"; of: Of; values: Data; unset: readonly string[]; answer?: boolean }
  /** `clear`: the number of the call, whose second moment is `end if`. */
  | { is: "spare"; except: string; clear: number }
  | {
      is: "end if";
      of: Of;
      /** Null, too, where a moment before has decided. */
      except: string | null;
      clear: number | null;
      answer?: boolean;
    }
  /** It was in the set or not, and was one of those that are ended or not. */
  | { is: "trim"; of: Of; answer?: boolean }
  /**
   * Another session entered this set, which has a limit: this one was in it or not, and may have ended.
   * If `leaving` leads to it, it doesn't count.
   */
  | { is: "at limit"; of: Of; mayEnd: boolean; leaving?: string; answer?: boolean }
  /** It was heard that the limit of one of these sets has ended it. */
  | { is: "limited"; sets: readonly Of[] }
  /** It was heard that it has ended. */
  | { is: "over" };
