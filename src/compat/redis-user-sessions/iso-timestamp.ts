import { SessionError } from "../../shared/errors.ts";

/** ISO 8601, extended format. Seconds and their fraction are optional; the offset is not. */
const TIMESTAMP_PATTERN = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** The moment of an ISO timestamp, in ms. @throws SessionError ERR_SESSION_VALUE for anything else. */
export function parseTimestamp(expires: unknown): number {
  const [, date] = (typeof expires === "string" && TIMESTAMP_PATTERN.exec(expires)) || [];
  const moment = date === undefined ? Number.NaN : Date.parse(expires as string);
  if (Number.isNaN(moment) || !isDate(date as string)) {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      "expires must be an ISO 8601 timestamp with its offset, such as new Date(…).toISOString() gives",
      { field: "expires" },
    );
  }
  return moment;
}

/** Whether the calendar has this date: Date.parse reads the 30th of February as the 1st of March. */
function isDate(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}
