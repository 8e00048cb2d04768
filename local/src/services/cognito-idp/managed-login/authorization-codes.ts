import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../../kernel/clock.ts';

/** "A one time use code that is valid for five minutes" (authorization-endpoint). */
const LIFETIME_MS = 300_000;
/** Beyond this the oldest code is forgotten. */
const MAX_CODES = 10_000;

/** What was granted, and to whom. */
export interface Grant {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly sub: string;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly authTime: number;
  readonly nonce: string | undefined;
  /** Of PKCE, S256. */
  readonly codeChallenge: string | undefined;
}

/** Authorization codes that nobody has used yet. They do not outlive the runtime. */
export class AuthorizationCodes {
  readonly #clock: Clock;
  readonly #grants = new Map<string, Grant & { readonly expiresAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(grant: Grant): string {
    for (const oldest of this.#grants.keys()) {
      if (this.#grants.size < MAX_CODES) break;
      this.#grants.delete(oldest);
    }
    const code = randomUUID();
    this.#grants.set(code, { ...grant, expiresAt: this.#clock.now() + LIFETIME_MS });
    return code;
  }

  /** Takes a code, whoever shows it: it is gone then. Undefined for one that is not there or too old. */
  take(code: string): Grant | undefined {
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    return grant && grant.expiresAt > this.#clock.now() ? grant : undefined;
  }
}

/** Whether a verifier is the one of a challenge (RFC 7636, S256). */
export function isVerifierOf(challenge: string, verifier: string): boolean {
  return /^[\w.~-]{43,128}$/.test(verifier) && createHash('sha256').update(verifier).digest('base64url') === challenge;
}
