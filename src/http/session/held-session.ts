import { checkCause } from "../../sessions/options/cause.ts";
import type { EndingOptions, ReadArguments } from "../../sessions/options/verb-options.ts";
import { toSession } from "../../sessions/record.ts";
import type { Changes, RotationChoice, SessionCore } from "../../sessions/session-core.ts";
import { createTokenBeside, type NewToken } from "../../sessions/token.ts";
import type { PartialValuesOf, SessionWithToken, SignInOptions } from "../../sessions/types.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type {
  Changed,
  EndAllOptions,
  Lookup,
  Reference,
  StoredSession,
  Times,
} from "../../store/contract.ts";
import type { Cause } from "../../store/feed.ts";
import { isTouchDue } from "../../store/touch-delay.ts";
import type { Carrier } from "../carriers/carriers.ts";
import { createGoneError, createNoTokenError, createTokenKeptError } from "../errors.ts";
import { findBestToken, findLiveId, mayCreateAfter, toSessionWithToken } from "./answers.ts";
import type { RequestContext } from "./request-context.ts";
import { sendToken } from "./send-token.ts";

/**
 * The state of a request's session: its token, the session that the token leads to, and what this request
 * has seen and done. Each call begins only after the previous one has ended.
 */
export class HeldSession<Data extends object> {
  readonly #context: RequestContext;
  readonly #core: SessionCore;
  /** The carrier that brought the token, and brings the client a new one. */
  #carrier: Carrier;
  /** The well-formed tokens of the request, if several came and it is not yet decided which one counts. */
  #candidates: readonly string[];
  /** The ids of twins: other tokens of the request that lead to live sessions. */
  #twinIds: readonly string[] = [];
  /** The token of the request, or of the session that this request made or rotated. */
  #token: string | null;
  /** The id of that token, which may be an alias. */
  #tokenId: string | null;
  /** The token leads to no session, as far as this request knows. */
  #isDead = false;
  /** The id of the session that the token leads to, through aliases. */
  #id: string | null;
  /** The lineage of the session, after this request has seen it. */
  #lineage: string | null = null;
  /** The request came with an old token: its response never sets a cookie. */
  #throughAlias = false;
  /** This request has seen the session alive. */
  #seen = false;
  /** This request wanted the session ended. */
  #deleted = false;

  constructor(context: RequestContext) {
    const { core, carrier, tokens } = context;
    this.#context = context;
    this.#core = core;
    this.#carrier = carrier;
    this.#candidates = tokens.length > 1 ? tokens : [];
    this.#token = tokens.length === 1 ? (tokens[0] as string) : null;
    this.#tokenId = core.toId(this.#token);
    this.#id = this.#tokenId;
  }

  get carrier(): Carrier {
    return this.#carrier;
  }

  /** The session's id, as far as this request knows it. */
  get id(): string | null {
    return this.#id;
  }

  get lineage(): string | null {
    return this.#lineage;
  }

  /** The token of the session in use; null if there is none, or it is not yet decided which one counts. */
  get token(): string | null {
    return this.#isDead ? null : this.#token;
  }

  /** Whether several tokens came, and it is not yet decided which one counts. */
  get isUndecided(): boolean {
    return this.#candidates.length > 0;
  }

  /** Decides which of several tokens counts. Returns what was found. */
  async decide(fields: readonly string[] | undefined): Promise<Lookup> {
    const best = await findBestToken(this.#core, this.#candidates, fields);
    [this.#candidates, this.#twinIds] = [[], best.twinIds];
    [this.#token, this.#tokenId, this.#id] = [best.token, best.id, best.id];
    this.#isDead = best.lookup.state !== "live";
    return best.lookup;
  }

  async load({ fields, touch }: ReadArguments): Promise<StoredSession | null> {
    const decided = this.isUndecided ? await this.decide(fields) : null;
    if (this.#id === null) return null;
    const found = decided ?? (await this.#core.find(this.#id, { names: fields }));
    const isDue = touch && found.state === "live" && isTouchDue(found);
    const used = isDue ? await this.#core.touch(found) : found;
    this.#isDead = used.state !== "live";
    if (used.state !== "live") return null;
    this.#noteSession(used.session);
    if (used !== found) await this.#renewCookie(used.session);
    return used.session;
  }

  async signIn(
    values: object,
    options: SignInOptions<string>,
    carrier: Carrier,
  ): Promise<SessionWithToken<Data>> {
    carrier.check();
    const leaving = this.#listLeaving();
    const signedIn = await this.#core.signIn<Data>(this.#tokenId, values, options, leaving);
    if (carrier !== this.#carrier) this.#carrier.takeBack();
    this.#carrier = carrier;
    // The alias of the request's token may have expired since.
    const ids = signedIn.ended ? this.#twinIds : leaving;
    await this.#hold(signedIn, () => this.#endReplaced(checkCause(options), ids));
    return signedIn;
  }

  async set(values: PartialValuesOf<Data>, cause: Cause | undefined): Promise<void> {
    const changed = this.#id === null ? null : await this.change("set", values, [], cause);
    const request = { seen: this.#seen, deleted: this.#deleted };
    const isSignIn = () => this.#core.namesUser(values);
    if (changed === null || mayCreateAfter(changed, request, isSignIn)) {
      await this.#create(values);
    } else if (changed.state !== "changed") {
      throw createGoneError();
    }
  }

  async #create(values: object): Promise<void> {
    if (!this.#carrier.sends) throw this.#token === null ? createNoTokenError() : createGoneError();
    this.#carrier.check();
    await this.#hold(await this.#core.create<Data>(values));
  }

  /** Changes the session by `set` or `unset`, if there is an id. */
  async change(
    verb: "set" | "unset",
    values: object,
    unset: readonly string[],
    cause: Cause | undefined,
  ): Promise<Changed> {
    const id = this.#id as string;
    const named = [...Object.keys(values), ...unset];
    if (this.#core.filterIdentities(named).length === 0) {
      return this.#noteChange(await this.#core.change(id, { values, unset }));
    }
    const { sends } = this.#carrier;
    if (sends) this.#carrier.check();
    const fresh = createTokenBeside(id);
    const when = sends ? "user-changes" : "never";
    const rotation = { to: fresh.id, when, leaving: this.#listLeaving(), cause } as const;
    const changed = await this.#changeByEveryId({ values, unset, rotation });
    if (changed.state === "signs-in") throw createTokenKeptError(verb);
    return this.#noteChange(changed, fresh, cause);
  }

  async touch(idleTimeout: number | null): Promise<boolean> {
    if (this.#id === null) return false;
    const changed = await this.#noteChange(await this.#core.change(this.#id, { idleTimeout }));
    return changed.state === "changed";
  }

  /**
   * Rotates the session. Returns it with its new token; "ended" if it was ended instead; null if nothing
   * was done.
   */
  async rotate(values: object, options: RotationChoice) {
    // The id is that of the request's own token, so that the store sees whether it is an old one.
    const id = this.#tokenId;
    if (id === null) return null;
    this.#carrier.check();
    const fresh = createTokenBeside(id);
    const given = { ...options, leaving: this.#listLeaving() };
    const rotation = { to: fresh.id, when: "always", ...given } as const;
    const changed = await this.#core.change(id, { values, rotation });
    if (changed.state === "ended") {
      await this.#endTwins({ cause: options.cause });
      this.#forget();
      return "ended";
    }
    await this.#noteChange(changed, fresh, options.cause);
    return toSessionWithToken<Data>(changed, fresh);
  }

  /**
   * Gives the session a new token and ends all old ones, if it has this value. Then comes `after`, even if
   * the token cannot be sent any more. Returns the token.
   */
  async changeToken(where: Reference, after: () => Promise<void>): Promise<string> {
    this.#carrier.check();
    const fresh = createTokenBeside(this.#id as string);
    const rotation = { to: fresh.id, when: "credentials" } as const;
    const changed = await this.#changeByEveryId({ rotation, where });
    await this.#noteChange(changed, fresh, undefined, after);
    if (changed.state !== "changed") throw createGoneError();
    return fresh.token;
  }

  /**
   * Makes a change that leaves tombstones. It goes by the id of the request's token, so that every id on the
   * way gets one. If that id is an alias that has expired since, it goes by the id that the alias led to.
   */
  async #changeByEveryId(changes: Changes): Promise<Changed> {
    const changed = await this.#core.change(this.#tokenId as string, changes);
    const expired = changed.state === "gone" && this.#throughAlias && this.#id !== null;
    return expired ? this.#core.change(this.#id as string, changes) : changed;
  }

  /** Ends the session for its user. Returns whether there was one. */
  async delete(options: EndingOptions): Promise<boolean> {
    const ended = await this.#end(null, options);
    [this.#deleted, this.#seen] = [true, false];
    return ended;
  }

  /**
   * Ends the session, and keeps some of its fields in a new one, none of which says who the user is.
   * Returns whether there was a session.
   */
  async deleteKeeping(keep: readonly string[], cause: Cause | undefined): Promise<boolean> {
    this.#carrier.check();
    // The request's token may be an alias that has expired since.
    const id = await findLiveId(this.#core, [this.#tokenId, this.#id]);
    if (id === null) return false;
    const how = { cause, leaving: this.#listLeaving() };
    const replacement = await this.#core.replace<Data>(id, {}, { keep }, how);
    await this.#hold(replacement, () => this.#endReplaced(cause));
    return true;
  }

  /** Finds the lineage of the session; null if there is none. It reads the session unless it was seen. */
  async findLineage(): Promise<string | null> {
    if (!this.#seen) await this.load({ fields: [], touch: false });
    return this.#lineage;
  }

  /** Ends a session of a set by its name. This request's own ends as by `delete`. */
  async endPeer(set: Reference, name: string, how: EndingOptions): Promise<boolean> {
    if (this.#isOwn(name) && (await this.#end(set, how))) return true;
    const tombstone = { ...this.#tombstone, lineage: this.#lineage ?? "" };
    const options = { byName: true, reference: set, tombstone, ...how };
    const ended = await this.#core.end(name, options);
    if (ended !== null && ended === this.#lineage) {
      await this.#endTwins(how);
      this.#forget();
    }
    return ended !== null;
  }

  /**
   * Ends all sessions of a set but one. That of this request ends last, so that a failure leaves the user
   * signed in. It ends even if it is the one to spare, if the request came with an old token.
   */
  async endPeers(set: Reference, { except = null, ...how }: EndAllOptions): Promise<number> {
    const core = this.#core;
    if (this.#id === null) return core.endAll(set, { except, ...how });
    const sparesOwn = except !== null && (await this.#leadsToOwn(except));
    if (sparesOwn && !this.#throughAlias) return core.endAll(set, { except, ...how });
    this.#carrier.checkClear();
    if (except !== null && !sparesOwn) {
      const own = await this.#end(set, how);
      return Number(own) + (await core.endAll(set, { except, ...how }));
    }
    const others = await core.endAll(set, { except: this.#lineage, ...how });
    if (await this.#end(set, how)) return others + 1;
    // It has left the set, or is under a token by now that this request does not know (I5).
    return others + (await core.endAll(set, how));
  }

  /** Ends the oldest sessions of a set. If this request's is among them, the cookie is cleared. */
  async trimPeers(set: Reference, keep: number, how: EndingOptions): Promise<number> {
    const own = this.#lineage ?? this.#id;
    if (own !== null) this.#carrier.checkClear();
    const ended = await this.#core.sets.trim(set, keep, how);
    if (own !== null && ended > 0 && !(await this.#core.isLive(own))) this.#forget();
    return ended;
  }

  #isOwn(name: string): boolean {
    return [this.#id, this.#tokenId, this.#lineage].includes(name);
  }

  /** Whether a name leads to this request's session. Names that it does not know are looked up. */
  async #leadsToOwn(name: string): Promise<boolean> {
    if (this.#isOwn(name)) return true;
    const found = await this.#core.find(name, { names: [], byName: true });
    return found.state === "live" && found.session.lineage === this.#lineage;
  }

  /**
   * Ends the session, if it is in the set, and its twins. Returns whether there was one. If so, the cookie
   * is cleared.
   */
  async #end(set: Reference | null, how: EndingOptions): Promise<boolean> {
    const [first, then] = [this.#tokenId, this.#id];
    if (first === null || then === null) return false;
    this.#carrier.checkClear();
    const ended =
      (await this.#endAt(first, set, how)) ||
      (then !== first && (await this.#endAt(then, set, how)));
    if (set !== null && !ended) return false;
    const wereThere = (await this.#endTwins(how)) || ended;
    if (wereThere) this.#forget();
    return wereThere;
  }

  /** Ends the twins. Returns whether there was one. */
  async #endTwins(how: EndingOptions): Promise<boolean> {
    const ended = await waitForAll(this.#twinIds.map((id) => this.#endAt(id, null, how)));
    this.#twinIds = [];
    return ended.includes(true);
  }

  /** Ends the sessions of these ids after another one replaced this one: the twins at least. */
  async #endReplaced(cause: Cause | undefined, ids = this.#twinIds): Promise<void> {
    this.#carrier.replaceTwins();
    this.#twinIds = [];
    await waitForAll(ids.map((id) => this.#endAt(id, null, { cause })));
  }

  /** The ids of the sessions that end once another one has replaced this one. */
  #listLeaving(): readonly string[] {
    return this.#throughAlias && this.#id !== null ? [this.#id, ...this.#twinIds] : this.#twinIds;
  }

  async #endAt(id: string, set: Reference | null, how: EndingOptions): Promise<boolean> {
    const options = { ...(set && { reference: set }), tombstone: this.#tombstone, ...how };
    return (await this.#core.end(id, options)) !== null;
  }

  get #tombstone() {
    return { stays: this.#core.config.rotationGrace };
  }

  /** Notes the result of a change. `fresh` is the token that the session may have got. */
  async #noteChange(
    changed: Changed,
    fresh?: NewToken,
    cause?: Cause,
    after?: () => Promise<unknown>,
  ): Promise<Changed> {
    if (changed.state === "gone" || changed.state === "superseded") this.#isDead = true;
    if (changed.state !== "changed") return changed;
    const given = fresh ? toSessionWithToken<Data>(changed, fresh) : null;
    if (given) {
      const isAnother = changed.lineage === changed.id;
      await this.#hold(given, after ?? (isAnother ? () => this.#endReplaced(cause) : undefined));
    } else {
      this.#noteSession(changed);
      await this.#renewCookie(changed.times);
    }
    return changed;
  }

  /** Notes that the request's token leads to this live session. */
  #noteSession({ id, lineage }: { readonly id: string; readonly lineage: string }): void {
    if (id !== this.#id) this.#throughAlias = true;
    this.#id = id;
    this.#lineage = lineage;
    this.#seen = true;
  }

  /** Holds a session with a new token, and sends it. Then comes `after`, even if it cannot be sent any more. */
  async #hold(
    { token, session }: SessionWithToken<Data>,
    after?: () => Promise<unknown>,
  ): Promise<void> {
    const { id, lineage } = session;
    [this.#token, this.#tokenId, this.#id, this.#lineage] = [token, id, id, lineage];
    [this.#isDead, this.#throughAlias, this.#seen] = [false, false, true];
    const end = (how: EndingOptions) => this.#core.end(id, how);
    await sendToken(() => this.#carrier.set(token, session), end, after);
    if (this.#carrier.sends) this.#context.csrf.clear();
  }

  /** Forgets the session, which this request ended, and makes the client forget its token. */
  #forget(): void {
    this.#carrier.clear();
    this.#carrier.replaceTwins();
    [this.#token, this.#tokenId, this.#id, this.#lineage] = [null, null, null, null];
    [this.#throughAlias, this.#deleted, this.#seen] = [false, true, false];
  }

  /** Sets the cookie again if a session that was just used would outlive it. */
  async #renewCookie(times: Times): Promise<void> {
    if (this.#token === null || this.#id === null || this.#throughAlias) return;
    if (!this.#carrier.mayRunOut(times)) return;
    const found = await this.#core.find(this.#id);
    if (found.state !== "live") return;
    this.#carrier.renew(this.#token, toSession<Data>(found.session));
  }
}
