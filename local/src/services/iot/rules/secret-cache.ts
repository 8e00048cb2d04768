import type { Kernel } from '../../../kernel/kernel.ts';
import type { RoleSessions } from './role-sessions.ts';
import type { Rule } from './rule.ts';
import type { ExternalCall } from './sql/external-call.ts';
import { parseJson } from './sql/json.ts';
import { member, type SqlValue } from './sql/sql-value.ts';

type GetSecret = Extract<ExternalCall, { readonly name: 'get_secret' }>;

/** "AWS IoT Core caches secrets for up to 15 minutes" (iot-sql-functions.html#iot-sql-function-get-secret). */
const CACHED_MS = 15 * 60_000;

/** What get_secret gives: a changed secret is seen a quarter of an hour later. */
export class SecretCache {
  readonly #kernel: Kernel;
  readonly #sessions: RoleSessions;
  readonly #texts = new Map<string, { readonly text: string; readonly until: number }>();

  constructor(kernel: Kernel, sessions: RoleSessions) {
    this.#kernel = kernel;
    this.#sessions = sessions;
  }

  /** Text, bytes in base64, or the member `key` of a secret that holds JSON. Rejects with what Secrets Manager answers. */
  async get(rule: Rule, call: GetSecret): Promise<SqlValue> {
    const text = await this.#text(rule, call);
    if (call.key === undefined) return text;
    return member(parseJson(text), call.key);
  }

  async #text({ name, arn }: Rule, { secretId, secretType, roleArn }: GetSecret): Promise<string> {
    const key = `${roleArn} ${secretId} ${secretType}`;
    const now = this.#kernel.clock.now();
    const known = this.#texts.get(key);
    if (known && now < known.until) return known.text;
    const { SecretString, SecretBinary } = await this.#kernel.call<{ SecretString?: string; SecretBinary?: Buffer }>(
      'secretsmanager',
      'GetSecretValue',
      { SecretId: secretId },
      this.#sessions.get(roleArn, name, arn),
    );
    const text = secretType === 'SecretString' ? SecretString : SecretBinary?.toString('base64');
    if (text === undefined) throw new Error(`the secret ${secretId} has no ${secretType}`);
    this.#texts.set(key, { text, until: now + CACHED_MS });
    return text;
  }
}
