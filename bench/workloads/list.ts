/* The workloads on a store, in the order of the table. */
import { trafficWorkload } from "./traffic.ts";
import { type Able, makeMany, type Run, type Scale, userOf, type Workload } from "./workload.ts";

/** Sessions of users with three each. A verb of one of them is measured. */
function onSessions(operate: (subject: Able, token: string, index: number) => Promise<unknown>) {
  return async (subject: Able, { sessions }: Scale): Promise<Run> => {
    const tokens = await makeMany(sessions, (index) => subject.create(userOf(index)));
    // Steps that have no common factor with the number, so that neighbours aren't used in turn.
    const pick = (index: number) => tokens[(index * 7919) % tokens.length] ?? "";
    return {
      operate: (index) => operate(subject, pick(index), index),
      limit: Number.POSITIVE_INFINITY,
    };
  };
}

/** Users with ten sessions each. A verb of a user's set is measured. */
function onUsers(
  verb: "list" | "size" | "clear",
  sessionsEach: number,
  count: (scale: Scale) => number,
) {
  return async (subject: Able, scale: Scale): Promise<Run> => {
    const users = count(scale);
    await makeMany(users * sessionsEach, (index) => subject.create((index % users) + 1));
    return {
      operate: (index) => subject[verb]((index % users) + 1),
      limit: verb === "clear" ? users : Number.POSITIVE_INFINITY,
    };
  };
}

async function creating(subject: Able): Promise<Run> {
  return {
    operate: (index) => subject.create(userOf(index)),
    limit: Number.POSITIVE_INFINITY,
  };
}

async function overAnonymous(subject: Able, { consumed }: Scale): Promise<Run> {
  const tokens = await makeMany(consumed, () => subject.create(null));
  return {
    operate: (index) => subject.signIn(tokens[index] ?? "", userOf(index)),
    limit: consumed,
  };
}

async function overOwnSession(subject: Able, { consumed }: Scale): Promise<Run> {
  const tokens = await makeMany(consumed, (index) => subject.create(userOf(index)));
  return {
    operate: (index) => subject.signIn(tokens[index] ?? "", userOf(index)),
    limit: consumed,
  };
}

const plain = (name: string, title: string, ...needs: Workload["needs"]) => ({
  name,
  title,
  references: 1 as const,
  needs,
});

export const WORKLOADS: readonly Workload[] = [
  { ...plain("create", "create, one reference", "create"), prepare: creating },
  {
    ...plain("create-three", "create, three references", "create", "setReference"),
    references: 3,
    prepare: creating,
  },
  {
    ...plain("get", "get, whole", "create", "get"),
    prepare: onSessions((subject, token) => subject.get(token)),
  },
  {
    ...plain("get-two", "get, two fields", "create", "getTwo"),
    prepare: onSessions((subject, token) => subject.getTwo(token)),
  },
  {
    ...plain("set", "set a field", "create", "set"),
    prepare: onSessions((subject, token, index) => subject.set(token, `theme ${index % 10}`)),
  },
  {
    ...plain("set-reference", "set a field, a reference changes", "create", "setReference"),
    references: 3,
    prepare: onSessions((subject, token, index) => subject.setReference(token, index % 50)),
  },
  {
    ...plain("touch", "touch", "create", "touch"),
    prepare: onSessions((subject, token) => subject.touch(token)),
  },
  {
    ...plain("sign-in", "sign in over an anonymous session", "create", "signIn"),
    prepare: overAnonymous,
  },
  {
    ...plain("sign-in-again", "sign in over the user's own session", "create", "signIn"),
    prepare: overOwnSession,
  },
  {
    ...plain("size", "size of a set of 10", "create", "size"),
    prepare: onUsers("size", 10, () => 100),
  },
  {
    ...plain("list-10", "list a set of 10", "create", "list"),
    prepare: onUsers("list", 10, () => 100),
  },
  {
    ...plain("clear-10", "clear a set of 10", "create", "clear"),
    prepare: onUsers("clear", 10, ({ consumed }) => Math.ceil(consumed / 4)),
  },
  {
    ...plain("clear-10k", "clear a set of 10,000", "create", "clear"),
    single: true,
    slow: true,
    prepare: onUsers("clear", 10_000, () => 1),
  },
  {
    ...plain("clear-100k", "clear a set of 100,000", "create", "clear"),
    single: true,
    slow: true,
    prepare: onUsers("clear", 100_000, () => 1),
  },
  trafficWorkload,
];
