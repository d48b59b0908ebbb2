import { randomBytes, randomUUID, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** A user. A change of password makes a new object. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Settings from OWASP's Password Storage Cheat Sheet. Each hash takes 16 MiB. */
const OWASP: ScryptOptions = { N: 2 ** 14, r: 8, p: 5 };

/** Stands in for a user who does not exist, so that checking a password takes the same time. */
const NOBODY = { salt: randomBytes(16), hash: randomBytes(32) };

/** The name and the password of a user to try the demo with. */
export interface Sample {
  readonly name: string;
  readonly password: string;
}

/** The users, in memory. They are gone when the process ends. */
export class Users {
  readonly #hashing: ScryptOptions;
  #sample: { readonly user: User; readonly password: string } | null = null;
  readonly #byId = new Map<string, User>();
  readonly #idByName = new Map<string, string>();

  /** @param hashing how passwords are hashed. */
  constructor(hashing: ScryptOptions = OWASP) {
    this.#hashing = hashing;
  }

  get(id: string | undefined): User | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** Adds a user. Resolves to null if the name is taken. */
  async add(name: string, password: string, id: string = randomUUID()): Promise<User | null> {
    const secret = await createSecret(password, this.#hashing);
    const key = name.toLowerCase();
    if (this.#idByName.has(key)) return null;
    const user = { id, name, ...secret };
    this.#idByName.set(key, id);
    this.#byId.set(id, user);
    return user;
  }

  /** Adds a user whose name and password the sign-in page tells to everyone. */
  async addSample(name: string, password: string, id?: string): Promise<void> {
    const user = await this.add(name, password, id);
    this.#sample = user && { user, password };
  }

  /** That user; null if there is none, or the password was changed. */
  get sample(): Sample | null {
    if (this.#sample === null || this.get(this.#sample.user.id) !== this.#sample.user) return null;
    return { name: this.#sample.user.name, password: this.#sample.password };
  }

  /** Resolves to null if there is no such user, or the password is wrong. The time does not tell which. */
  async authenticate(name: string, password: string): Promise<User | null> {
    const user = this.get(this.#idByName.get(name.toLowerCase()));
    const { salt, hash } = user ?? NOBODY;
    const isRight = timingSafeEqual(await derive(password, salt, this.#hashing), hash);
    return user && isRight ? user : null;
  }

  async changePassword(user: User, password: string): Promise<void> {
    this.#byId.set(user.id, { ...user, ...(await createSecret(password, this.#hashing)) });
  }
}

async function createSecret(
  password: string,
  hashing: ScryptOptions,
): Promise<{ salt: Buffer; hash: Buffer }> {
  const salt = randomBytes(16);
  return { salt, hash: await derive(password, salt, hashing) };
}

function derive(password: string, salt: Buffer, hashing: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, 32, hashing, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
