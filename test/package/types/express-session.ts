/* The types of the store for express-session: code that compiles, and code that must not. Compiled, never run. */
import session from "express-session";
import {
  SessionSetsStore,
  type SessionSetsStoreOptions,
  type StoredData,
  type StoreSessionSet,
} from "session-sets/compat/express-session";
import { type Equal, same } from "./equal.ts";

interface Shop {
  user: { id: number };
  cart?: string[];
}
const userOf = (s: Shop & { cookie: session.Cookie }) => s.user.id;

// A `from` takes a typed session: by the type of the store, of its options or of a variable, or its own.
const typed = new SessionSetsStore<Shop>({
  references: { user_id: { from: (s) => s.user.id }, item: { from: (s) => s.cart } },
});
const options: SessionSetsStoreOptions<Shop, "user_id"> = {
  references: { user_id: { from: (s) => s.user.id } },
};
const variable: SessionSetsStore<Shop, "user_id"> = new SessionSetsStore({
  references: { user_id: { from: (s) => s.user.id } },
});
const annotated = new SessionSetsStore({
  references: {
    user_id: { from: (s: Shop) => s.user.id },
    item: { from: (s: Shop) => s.cart },
    theme: {},
  },
});
new SessionSetsStore({ references: { user_id: { from: userOf } } });
new SessionSetsStore({
  references: {
    user_id: { from: (s: session.Session & Partial<session.SessionData>) => s.cookie.path },
  },
});
new SessionSetsStore<session.SessionData>({
  references: { user_id: { from: (s) => s.cookie.path } },
});
new SessionSetsStore(options);
// @ts-expect-error: no field of the session
new SessionSetsStore<Shop>({ references: { user_id: { from: (s) => s.usr.id } } });
// @ts-expect-error: no value of a reference
new SessionSetsStore<Shop>({ references: { user_id: { from: (s) => s.user } } });

const set = annotated.by("item", "book");
same<Equal<typeof set, StoreSessionSet<StoredData<Shop>>>>();
const [first] = await set.list();
const user: number | undefined = first?.data.user.id;
// @ts-expect-error: no reference that was declared
annotated.by("team", 1);

// Sets change fields of the session.
const changed: number = await set.set({ cart: ["book"] });
await set.unset(["cart"]);
// @ts-expect-error: no field of the session
await set.set({ crat: [] });
// @ts-expect-error: a field that each session has
await set.unset(["user"]);
const untyped = new SessionSetsStore({ references: { user_id: {} } }).by("user_id", 1);
await untyped.set({ theme: "dark" });
await untyped.unset(["theme"]);

session({ store: typed, secret: "" });
session({ store: variable, secret: "" });

export { changed, user };
