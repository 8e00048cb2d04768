import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { notEmulatedHere } from '../errors.ts';

const USER_POOL = /^https:\/\/cognito-idp\.([\w-]+)\.amazonaws\.com\/([\w-]+_[A-Za-z0-9]+)$/;
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/i;
/** AWS keeps the keys of an issuer for two hours. */
const KEPT_MS = 2 * 3_600_000;
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const FETCH_LIMIT_MS = 1500;

type KeySet = ReadonlyMap<string, KeyObject>;

interface Kept {
  readonly keys: Promise<KeySet>;
  readonly until: number;
}

export interface KeySetOptions {
  readonly region: string;
  /** The AWS endpoint, which has the keys of the account's own user pools. */
  readonly endpoint: string;
  /** Virtual time, epoch milliseconds. */
  now(): number;
}

/** The public keys with which issuers sign their tokens. */
export class KeySets {
  readonly #options: KeySetOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** The key with this id; undefined when the issuer has none. Rejects when the issuer cannot be asked. */
  async find(issuer: string, keyId: string): Promise<KeyObject | undefined> {
    const now = this.#options.now();
    let kept = this.#kept.get(issuer);
    if (!kept || kept.until <= now) {
      kept = { keys: this.#fetch(issuer), until: now + KEPT_MS };
      this.#kept.set(issuer, kept);
    }
    try {
      return (await kept.keys).get(keyId);
    } catch (error) {
      if (this.#kept.get(issuer) === kept) this.#kept.delete(issuer);
      throw error;
    }
  }

  async #fetch(issuer: string): Promise<KeySet> {
    const { url, isKeySet } = keySetUrl(issuer, this.#options);
    const keySetAddress = isKeySet ? url : requireLoopback(memberOf(await getJson(url), 'jwks_uri'));
    const keys = memberOf(await getJson(keySetAddress), 'keys');
    if (!Array.isArray(keys)) throw new Error(`${keySetAddress} has no keys`);
    const usable = (keys as JsonWebKey[]).filter(
      ({ kty, kid, use }) => kty === 'RSA' && use !== 'enc' && typeof kid === 'string',
    );
    return new Map(usable.map((key) => [String(key.kid), createPublicKey({ key, format: 'jwk' })]));
  }
}

/**
 * Where the keys of an issuer are: its key set, or the document that names it. User pools of the account are at the AWS
 * endpoint, other issuers are asked on this machine only.
 *
 * @throws AwsError NotEmulated for an issuer elsewhere
 */
export function keySetUrl(
  issuer: string,
  { region, endpoint }: { readonly region: string; readonly endpoint: string },
): { readonly url: string; readonly isKeySet: boolean } {
  const [, poolRegion, poolId] = USER_POOL.exec(issuer) ?? [];
  if (poolRegion === region) return { url: `${endpoint}/${poolId}/.well-known/jwks.json`, isKeySet: true };
  if (!isLoopback(issuer)) {
    throw notEmulatedHere(
      `the issuer ${issuer}: keys come from user pools in ${region} and from this machine (localhost, 127.0.0.1)`,
    );
  }
  return { url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, isKeySet: false };
}

function isLoopback(address: string): boolean {
  return URL.canParse(address) && LOOPBACK.test(new URL(address).hostname);
}

function requireLoopback(address: unknown): string {
  if (typeof address === 'string' && isLoopback(address)) return address;
  throw new Error(`the issuer's keys are at ${String(address)}, which is not on this machine`);
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_LIMIT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

function memberOf(value: unknown, name: string): unknown {
  return (Object(value) as Record<string, unknown>)[name];
}
