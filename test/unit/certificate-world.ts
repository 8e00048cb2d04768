/** AWS IoT, the registration table and a CA in memory, for the domain of certificate renewals. Every call can be made to fail. */
import { createHash, createPrivateKey, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { IssuerRow, RenewalRow } from '@thingstead/contracts/certificate-store';
import type { CertificateAnswer, CertificateRejection } from '@thingstead/contracts/certificates';
import type { IdentityClaim } from '@thingstead/contracts/registration';
import { createHandler } from '../../lambda/certificate-renewals/handler.ts';
import type { Ports } from '../../lambda/certificate-renewals/ports.ts';
import { signDigest } from '../../local/src/services/kms/ecdsa.ts';
import {
  type CertificateAuthority,
  createCa,
  createKeys,
  type DeviceCertificate,
  issue,
} from '../support/certificates.ts';

export const NOW = Date.parse('2027-01-01T00:00:00Z');
export const DAY_MS = 86_400_000;
export const THING = 'barn-sensor1';
const LIFE_DAYS = 100;

type Said = { verdict: 'accepted'; answer: CertificateAnswer } | { verdict: 'rejected'; answer: CertificateRejection };

export function idOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

export function arnOf(id: string): string {
  return `arn:aws:iot:us-east-1:123456789012:cert/${id}`;
}

export interface Authorities {
  readonly factory: CertificateAuthority;
  readonly renewals: CertificateAuthority;
  readonly key: KeyObject;
  readonly device: DeviceCertificate;
}

/** Made once for all tests of a file. The device's certificate is valid from half of its life before now to half of it after. */
export async function authorities(): Promise<Authorities> {
  const forEver = { notBefore: new Date(NOW - 1000 * DAY_MS), notAfter: new Date(NOW + 9000 * DAY_MS) };
  const [factory, renewals] = await Promise.all([createCa('factory', forEver), createCa('renewals', forEver)]);
  const half = (LIFE_DAYS / 2) * DAY_MS;
  const device = await issue(factory, THING, { notBefore: new Date(NOW - half), notAfter: new Date(NOW + half) });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', renewals.keys.privateKey));
  return { factory, renewals, key: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }), device };
}

/** A PKCS#10 request with a key of its own. */
export async function requestOf(name: string, keys?: webcrypto.CryptoKeyPair): Promise<string> {
  const own = keys ?? (await createKeys());
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys: own,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  });
  return request.toString('pem');
}

export class World {
  readonly cas = new Map<string, { pem: string; active: boolean; autoRegistration: boolean }>();
  readonly certificates = new Map<string, { arn: string; pem: string; status: string; caCertificateId: string }>();
  readonly principals = new Set<string>();
  readonly policies = new Set<string>();
  readonly claims = new Map<string, IdentityClaim>();
  readonly rows = new Map<string, RenewalRow>();
  readonly rotations = new Map<string, string>();
  readonly revoked = new Set<string>();
  readonly said: Said[] = [];
  readonly reported: string[] = [];
  issuerRow: IssuerRow | undefined;
  settings: Ports['settings'] = { issuer: 'KMS', validityDays: LIFE_DAYS, shelfYears: 5 };
  now = NOW;
  signatures = 0;
  /** Called before and after every call of a port; what it throws happens there. */
  disturb: (point: string) => void | Promise<void> = () => {};
  readonly #by: Authorities;
  #serial = 0;

  constructor(by: Authorities) {
    this.#by = by;
    const caOf = ({ pem }: CertificateAuthority) => [idOf(pem), { pem, active: true, autoRegistration: true }] as const;
    this.cas = new Map([caOf(by.factory), caOf(by.renewals)]);
    this.issuerRow = { certificate: by.renewals.pem, certificateId: idOf(by.renewals.pem), createdAt: NOW };
    this.add(by.device.pem, 'ACTIVE', idOf(by.factory.pem));
    this.principals.add(arnOf(by.device.certificateId));
    const { certificateId } = by.device;
    this.claims.set(THING, { thing: THING, certificateId, claimedAt: NOW - 50 * DAY_MS });
  }

  add(pem: string, status: string, caCertificateId: string): void {
    const id = idOf(pem);
    this.certificates.set(id, { arn: arnOf(id), pem, status, caCertificateId });
  }

  /** The same cloud, to go on with in another way. */
  copy(): World {
    const copy = new World(this.#by);
    const maps = ['cas', 'certificates', 'claims', 'rows', 'rotations'] as const;
    for (const name of maps) {
      copy[name].clear();
      for (const [key, value] of this[name]) (copy[name] as Map<string, unknown>).set(key, structuredClone(value));
    }
    for (const name of ['principals', 'policies', 'revoked'] as const) {
      copy[name].clear();
      for (const each of this[name]) copy[name].add(each);
    }
    Object.assign(copy, { settings: this.settings, now: this.now, issuerRow: this.issuerRow });
    copy.#serial = this.#serial;
    return copy;
  }

  status(id: string): string | undefined {
    return this.certificates.get(id)?.status;
  }

  /** Those with which the device could connect. */
  get working(): string[] {
    return [...this.certificates]
      .filter(([, { arn, status }]) => status === 'ACTIVE' && this.principals.has(arn) && this.isAllowed(arn))
      .map(([id]) => id);
  }

  /** The device's first certificate got its policy before the story begins. */
  private isAllowed(arn: string): boolean {
    return this.policies.has(arn) || arn === arnOf(this.#by.device.certificateId);
  }

  /** A message of the device, over a connection with this certificate. */
  async message(certificateId: string, body: unknown, thing = THING): Promise<Said | undefined> {
    const payload = Buffer.from(JSON.stringify(body)).toString('base64');
    await this.handler()({ thing, certificateId, at: this.now, payload });
    return this.said.at(-1);
  }

  /** The certificate that the device is given; fails when it is given none. */
  async renewed(certificateId: string, csr?: string): Promise<string> {
    const said = await this.message(certificateId, { type: 'renew', ...(csr !== undefined && { csr }) });
    if (said?.answer.type !== 'renew' || !('certificate' in said.answer)) throw new Error(JSON.stringify(said));
    return said.answer.certificate;
  }

  http(body: unknown): Promise<{ statusCode: number; body: string }> {
    const event = {
      routeKey: 'POST /certificates/renewals',
      body: JSON.stringify(body),
      requestContext: { requestId: 'r1' },
    };
    return this.handler()(event) as Promise<{ statusCode: number; body: string }>;
  }

  handler() {
    return createHandler(this.ports());
  }

  ports(): Ports {
    const call = async <T>(name: string, effect: () => T): Promise<T> => {
      await this.disturb(`before ${name}`);
      const result = effect();
      await this.disturb(`after ${name}`);
      return result;
    };
    const known = (id: string) => {
      const found = this.certificates.get(id);
      if (!found) throw new Error(`no certificate ${id}`);
      return found;
    };
    return {
      settings: this.settings,
      now: () => this.now,
      newSerialNumber: () => {
        this.#serial += 1;
        return `01${this.#serial.toString(16).padStart(30, '0')}`;
      },
      signer: {
        sign: (digest) =>
          call('sign', () => {
            this.signatures += 1;
            return signDigest(this.#by.key, digest);
          }),
      },
      registry: {
        certificate: (id) => call('certificate', () => structuredClone(this.certificates.get(id))),
        authority: (id) => call('authority', () => this.cas.get(id)),
        principalsOf: () => call('principalsOf', () => [...this.principals]),
        attachPolicy: (arn) => call('attachPolicy', () => void this.policies.add(arn)),
        attachThing: (arn) => call('attachThing', () => void this.principals.add(arn)),
        setStatus: (id, status) =>
          call('setStatus', () => {
            const found = known(id);
            if (found.status !== 'REVOKED') found.status = status;
          }),
        register: (pem, ca) =>
          call('register', () => {
            if (!this.certificates.has(idOf(pem))) this.add(pem, 'INACTIVE', idOf(ca));
          }),
      },
      records: {
        claim: (thing) => call('claim', () => this.claims.get(thing)),
        moveClaim: (from, to) =>
          call('moveClaim', () => {
            if (this.claims.get(to.thing)?.certificateId !== from) return false;
            this.claims.set(to.thing, to);
            return true;
          }),
        renewal: (thing) => call('renewal', () => structuredClone(this.rows.get(thing))),
        putRenewal: (row) =>
          call('putRenewal', () => {
            if ((this.rows.get(row.thing)?.version ?? 0) !== row.version) return false;
            this.rows.set(row.thing, structuredClone({ ...row, version: row.version + 1 }));
            return true;
          }),
        announce: ({ thing, certificateId }) => call('announce', () => void this.rotations.set(thing, certificateId)),
        issuer: () => call('issuer', () => this.issuerRow),
        isRevoked: ({ certificateId }) => call('isRevoked', () => this.revoked.has(certificateId)),
      },
      answers: {
        accepted: (_, answer) => call('accepted', () => void this.said.push({ verdict: 'accepted', answer })),
        rejected: (_, answer) => call('rejected', () => void this.said.push({ verdict: 'rejected', answer })),
      },
      reports: {
        renewed: () => void this.reported.push('renewed'),
        pending: () => void this.reported.push('pending'),
        confirmed: ({ retired }) => void this.reported.push(`confirmed, ${retired.length} retired`),
        refused: ({ code, reason }) => void this.reported.push(`${code}: ${reason}`),
        failed: () => void this.reported.push('failed'),
      },
    };
  }
}
