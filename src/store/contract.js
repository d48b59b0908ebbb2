/*
 * What a store of sessions must do. A store knows ids, encoded fields, references and deadlines; it
 * knows neither tokens nor HTTP. `session-sets/testing` has the suite that every store passes.
 *
 * - Each method is atomic for each session it touches: nobody sees half of it.
 * - Absent, expired and ended are the same thing and are no error: null, false or "gone".
 * - The store's own clock decides what is expired: a session lives up to and with `expiresAt`.
 * - Methods reject for system faults only, with a SessionError (ERR_STORE_UNAVAILABLE,
 *   ERR_STORE_FULL), and within a bounded time.
 * - Nothing but `create` makes a session, and only under an id that was never used before.
 * - Times and durations are whole milliseconds, times since 1970 on the store's clock.
 */
export {};
