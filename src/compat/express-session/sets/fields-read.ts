/*
 * Finds the fields of a session that the function of a reference reads. The function is called on
 * stand-ins for a session, which note the fields that it asks for. Those may depend on the values that it
 * finds. So it is called with values of several kinds, with each known field absent, and with each known
 * field alone.
 */

/** The fields that a function reads; null where it goes through all of them. */
export type FieldsRead = ReadonlySet<string> | null;

/** How many members of stand-ins one call gets, because a function may loop until there are none. */
const MAX_MEMBERS = 1000;
/** How many fields are tried one by one. */
const MAX_FIELDS = 50;
/** Values that a field of a session may have, besides a stand-in. */
const SAMPLE_VALUES: readonly unknown[] = [undefined, null, "", "1", 0, 1, false, true, [], {}];

type FindValue = (session: object) => unknown;
/** The value of a field; undefined where it is absent. */
type GetField = (field: string) => unknown;

export function findFieldsRead(from: FindValue): FieldsRead {
  const read = new Set<string>();
  const readsAll = (give: GetField) => callOnce(from, read, give);
  if (readsAll(createStandIns()) || SAMPLE_VALUES.some((kind) => readsAll(() => kind))) return null;
  // The set grows during the loop.
  for (const field of read) {
    if (read.size > MAX_FIELDS) break;
    const [others, alone] = [createStandIns(), createStandIns()];
    if (readsAll((name) => (name === field ? undefined : others()))) return null;
    if (readsAll((name) => (name === field ? alone() : undefined))) return null;
  }
  return read;
}

/** Gives stand-ins, as many as one call gets. */
function createStandIns(): () => unknown {
  const rest = { members: MAX_MEMBERS };
  return () => createNextStandIn(rest);
}

/** Notes the fields that a call reads. Returns whether it goes through all of them. */
function callOnce(from: FindValue, read: Set<string>, give: GetField): boolean {
  let all = false;
  const note = (name: string | symbol) => {
    if (typeof name !== "string") return undefined;
    read.add(name);
    return give(name);
  };
  const session = new Proxy(
    {},
    {
      get: (_, name) => note(name),
      has: (_, name) => note(name) !== undefined,
      getOwnPropertyDescriptor(_, name) {
        const value = note(name);
        if (value === undefined) return undefined;
        return { value, enumerable: true, configurable: true, writable: true };
      },
      ownKeys() {
        all = true;
        return [];
      },
    },
  );
  try {
    from(session);
  } catch {
    // The function may fail on a stand-in. The fields that it read before that count.
  }
  return all;
}

/** A value that can be used as anything: read, called, constructed, iterated and compared. */
function createStandIn(rest: { members: number }): unknown {
  return new Proxy(function anything() {}, {
    get(_, name) {
      if (name === Symbol.toPrimitive) return (hint: string) => (hint === "number" ? 1 : "1");
      if (name === Symbol.iterator) return () => [createNextStandIn(rest)].values();
      return createNextStandIn(rest);
    },
    apply: (_target, _this, given) => {
      for (const one of given) if (typeof one === "function") one(createNextStandIn(rest), 0, []);
      return createNextStandIn(rest);
    },
    construct: () => Object(createNextStandIn(rest)),
    has: () => true,
    set: () => true,
    deleteProperty: () => true,
  });
}

function createNextStandIn(rest: { members: number }): unknown {
  return rest.members-- > 0 ? createStandIn(rest) : undefined;
}
