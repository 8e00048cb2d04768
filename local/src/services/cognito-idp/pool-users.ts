import { AwsError } from '../../kernel/errors.ts';
import { userNotFound } from './errors.ts';
import type { User, UserPool } from './user-pool.ts';

/** The users of one pool, found by whatever they may sign in with. */
export class PoolUsers {
  readonly #pool: UserPool;
  readonly #bySub = new Map<string, User>();
  /** User name or sign-in attribute -> sub. */
  readonly #names = new Map<string, string>();

  constructor(pool: UserPool) {
    this.#pool = pool;
  }

  get all(): readonly User[] {
    return [...this.#bySub.values()];
  }

  /** By user name, sub, or an attribute that people sign in with. */
  find(name: string): User | undefined {
    return this.#bySub.get(this.#names.get(this.#normal(name)) ?? name);
  }

  /** Throws UserNotFoundException. */
  get(name: string): User {
    const user = this.find(name);
    if (!user) throw userNotFound();
    return user;
  }

  bySub(sub: string): User | undefined {
    return this.#bySub.get(sub);
  }

  /** Adds a user, or puts another state in the place of the one there is. */
  put(user: User): User {
    const before = this.#bySub.get(user.sub);
    if (before) this.#forgetNames(before);
    this.#bySub.set(user.sub, user);
    for (const name of this.#namesOf(user)) this.#names.set(this.#normal(name), user.sub);
    return user;
  }

  delete(user: User): void {
    this.#forgetNames(user);
    this.#bySub.delete(user.sub);
  }

  /**
   * Whether a name or sign-in attribute of this user is another's already.
   *
   * @throws AwsError UsernameExistsException
   */
  requireFree(user: Pick<User, 'sub' | 'username' | 'attributes'>): void {
    for (const name of this.#namesOf(user)) {
      const owner = this.#names.get(this.#normal(name));
      if (owner === undefined || owner === user.sub) continue;
      const { usernameAttributes } = this.#pool.settings;
      const what = usernameAttributes.includes('email')
        ? 'An account with the given email already exists.'
        : 'User already exists';
      throw new AwsError('UsernameExistsException', what);
    }
  }

  #forgetNames(user: User): void {
    for (const name of this.#namesOf(user)) {
      if (this.#names.get(this.#normal(name)) === user.sub) this.#names.delete(this.#normal(name));
    }
  }

  #namesOf({ username, attributes }: Pick<User, 'username' | 'attributes'>): readonly string[] {
    const { usernameAttributes, aliasAttributes } = this.#pool.settings;
    const signIn = usernameAttributes.map((name) => attributes[name]);
    const aliases = aliasAttributes.map((name) =>
      name === 'preferred_username' || attributes[`${name}_verified`] === 'true' ? attributes[name] : undefined,
    );
    return [username, ...signIn, ...aliases].filter((name): name is string => name !== undefined);
  }

  #normal(name: string): string {
    return this.#pool.settings.caseSensitive ? name : name.toLowerCase();
  }
}
