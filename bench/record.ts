/* The session that everything here stores: eight fields, of which three can be references. */

export interface SessionRecord {
  user_id?: number;
  team_id?: number;
  device?: string;
  name?: string;
  locale?: string;
  theme?: string;
  cart?: string;
  visits?: number;
}

/** The fields by which sessions are found, where there are three. */
export const REFERENCES = ["user_id", "team_id", "device"] as const;

/** How many values of a reference a subject keeps in sets: the user's, or all three. */
export type ReferenceCount = 1 | 3;

export const SESSION_SECONDS = 86_400;

const DEVICES = ["Firefox on Linux", "Safari on iPhone", "Chrome on Android", "Edge on Windows"];

/** The record of a user's session. */
export function makeRecord(user: number) {
  return {
    user_id: user,
    team_id: user % 50,
    device: `${DEVICES[user % DEVICES.length]} ${user % 500}`,
    name: `User ${user}`,
    locale: "en-GB",
    theme: "dark",
    cart: "5f1c2a,77b0e1",
    visits: 12,
  };
}

/** The record of a session without a user. */
export function makeAnonymousRecord(): SessionRecord {
  const { user_id: _user, team_id: _team, device: _device, ...rest } = makeRecord(0);
  return rest;
}

/** As fields of a Redis hash. */
export function toFields(record: SessionRecord): string[] {
  return Object.entries(record).flatMap(([field, value]) => [field, String(value)]);
}
