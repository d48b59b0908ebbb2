/*
 * Web traffic: of 100 requests, 95 read their session, 4 write a field, and one signs in or out. A
 * sign-out ends the session, and the browser's next request begins a new one, without a user.
 */
import { type Able, makeMany, type Run, type Scale, type Workload } from "./workload.ts";

async function prepare(subject: Able, { sessions }: Scale): Promise<Run> {
  const tokens = await makeMany(sessions, (index) => subject.create(index + 1));

  async function signOut(slot: number): Promise<void> {
    await subject.end(tokens[slot] ?? "");
    tokens[slot] = await subject.create(null);
  }

  async function signIn(slot: number): Promise<void> {
    tokens[slot] = await subject.signIn(tokens[slot] ?? "", slot + 1);
  }

  return {
    operate(index) {
      const slot = (index * 7919) % tokens.length;
      const token = tokens[slot] ?? "";
      const kind = index % 100;
      if (kind < 95) return subject.get(token);
      if (kind < 99) return subject.set(token, `theme ${index % 10}`);
      return index % 200 < 100 ? signIn(slot) : signOut(slot);
    },
    limit: Number.POSITIVE_INFINITY,
  };
}

export const trafficWorkload: Workload = {
  name: "traffic",
  title: "web traffic: 95 % get, 4 % set, 1 % sign in or out",
  references: 1,
  needs: ["create", "get", "set", "signIn", "end"],
  prepare,
};
