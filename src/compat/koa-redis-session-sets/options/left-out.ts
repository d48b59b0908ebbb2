import { createConfigError } from "../../../shared/errors.ts";

/*
 * Undocumented properties that the middleware and its store had in koa-redis-session-sets, and what to
 * write instead. A program that reads undefined in place of one would fail elsewhere, or nowhere.
 */

const OF_MIDDLEWARE = {
  options: "keep the options in a variable of your own",
  tokens: "ctx.session.createCSRFToken() and verifyCSRFToken(token) make and check CSRF tokens",
};

const OF_STORE = {
  byteLength: "keep the options in a variable of your own",
  client: "use the client that you gave",
  createSessionId:
    "ctx.session.set(values) makes a session for a browser, and store.set(randomUUID(), values) one without",
  maxAge: "keep the options in a variable of your own",
  prefix: "store.getSessionKey(id) and store.getReferenceKey(field, value) give whole keys",
  references: "keep the options in a variable of your own",
};

/** Makes reading one of these properties an error that says what to write. */
export function refuseLeftOut<Middleware extends { readonly store: object }>(
  middleware: Middleware,
): Middleware {
  refuse("the middleware of koa-redis-session-sets", middleware, OF_MIDDLEWARE);
  refuse("the store of koa-redis-session-sets", middleware.store, OF_STORE);
  return middleware;
}

function refuse(what: string, target: object, names: Readonly<Record<string, string>>): void {
  for (const [name, instead] of Object.entries(names)) {
    Object.defineProperty(target, name, {
      get() {
        throw createConfigError(`There is no ${name} of ${what}: ${instead}`);
      },
    });
  }
}
