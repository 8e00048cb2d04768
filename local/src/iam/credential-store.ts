import { randomBytes } from 'node:crypto';
import type { Caller } from '../kernel/caller.ts';
import type { KeptRecord, KeptRecords } from '../kernel/kept-state.ts';
import type { Credentials } from './iam.ts';

export interface OwnedCredentials {
  readonly caller: Caller;
  readonly credentials: Credentials;
}

/** Expired keys are remembered this long, so that their users are told "expired", not "unknown". */
const REMEMBER_EXPIRED_MS = 3_600_000;
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Access keys and whose they are. */
export class CredentialStore {
  readonly #now: () => number;
  readonly #byKey = new Map<string, OwnedCredentials>();

  constructor(now: () => number) {
    this.#now = now;
  }

  find(accessKeyId: string): OwnedCredentials | undefined {
    return this.#byKey.get(accessKeyId);
  }

  issue(caller: Caller, durationSeconds: number): Credentials {
    this.#forgetOld();
    const credentials: Credentials = {
      accessKeyId: newAccessKeyId('ASIA'),
      secretAccessKey: newSecret(),
      sessionToken: randomBytes(192).toString('base64'),
      expiresAt: this.#now() + durationSeconds * 1000,
    };
    this.#byKey.set(credentials.accessKeyId, { caller, credentials });
    return credentials;
  }

  addLongTerm(caller: Caller, accessKeyId: string, secretAccessKey: string): void {
    const credentials = { accessKeyId, secretAccessKey, sessionToken: '', expiresAt: Number.POSITIVE_INFINITY };
    this.#byKey.set(accessKeyId, { caller, credentials });
  }

  *save(): Generator<KeptRecord> {
    // Never changed once issued.
    for (const [key, owned] of this.#byKey) yield [`credentials/${key}`, owned, owned];
  }

  restore(records: KeptRecords): void {
    for (const owned of records.all<OwnedCredentials>('credentials/')) {
      this.#byKey.set(owned.credentials.accessKeyId, owned);
    }
  }

  #forgetOld(): void {
    const limit = this.#now() - REMEMBER_EXPIRED_MS;
    for (const [key, { credentials }] of this.#byKey) {
      if (credentials.expiresAt < limit) this.#byKey.delete(key);
    }
  }
}

/** A new access key id: `AKIA` for a user, `ASIA` for a session. */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA'): string {
  return prefix + randomText(16);
}

/** A new secret access key, 40 characters. */
export function newSecret(): string {
  return randomBytes(30).toString('base64');
}

/** Random capitals and digits, as unique ids and access keys have them. */
export function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => CHARACTERS[byte % CHARACTERS.length]).join('');
}
