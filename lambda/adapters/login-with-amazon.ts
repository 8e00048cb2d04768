import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Authorizations, Login } from '../voice/ports.ts';
import type { Renewals } from '../voice-reports/ports.ts';

/** Alexa waits for eight seconds in all. */
const TIMEOUT_MS = 4_000;

const Granted = v.object({
  access_token: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  refresh_token: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  expires_in: v.pipe(v.number(), v.minValue(1)),
});

/** Login with Amazon did not answer as it says it does; nothing is known of the tokens. */
export class LoginFailedError extends Error {
  override readonly name = 'LoginFailedError';
}

export interface SkillCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Read when it is needed, so that a new one holds at once. */
  clientSecret(): Promise<string>;
  /** Epoch milliseconds. */
  now(): number;
}

/** https://developer.amazon.com/en-US/docs/alexa/smarthome/authenticate-a-customer-permissions.html, for the messages of one skill. */
export class LoginWithAmazon implements Authorizations, Renewals {
  readonly #skill: SkillCredentials;

  constructor(skill: SkillCredentials) {
    this.#skill = skill;
  }

  exchange(code: string): Promise<Login> {
    return this.#ask({ grant_type: 'authorization_code', code });
  }

  refresh(refreshToken: string): Promise<Login> {
    return this.#ask({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  async #ask(grant: Readonly<Record<string, string>>): Promise<Login> {
    const { tokenUrl, clientId, clientSecret, now } = this.#skill;
    const body = new URLSearchParams({ ...grant, client_id: clientId, client_secret: await clientSecret() });
    const askedAt = now();
    const response = await fetch(tokenUrl, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) {
      const granted = validate(Granted, answer);
      if (!granted.ok) throw new LoginFailedError(`Amazon gave no tokens: ${granted.reason}`);
      const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = granted.value;
      return { ok: true, tokens: { accessToken, refreshToken, endsAt: askedAt + Math.floor(seconds * 1000) } };
    }
    const error = validate(v.object({ error: v.string() }), answer);
    // Of the code or the token; what is wrong with the skill's own credentials is for the operator.
    if (response.status === 400 && error.ok && error.value.error === 'invalid_grant') {
      return { ok: false, refused: error.value.error };
    }
    throw new LoginFailedError(`Amazon answered ${response.status} ${error.ok ? error.value.error : ''}`.trim());
  }
}
