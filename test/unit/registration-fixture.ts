/** A registry and a registration table in memory, for the domain of registration. Every call can be made to fail. */
import type { HeldReason, ManifestEntry } from '@thingstead/contracts/registration';
import type { DeviceCertificate, Ports, Refusal, Settings, Thing } from '../../lambda/registration/ports.ts';
import type { CertificateAuthority, DeviceCertificate as Issued } from '../support/certificates.ts';

export const CA_ID = 'c'.repeat(64);
export const NOW = Date.now();

export function arnOf(certificateId: string): string {
  return `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}`;
}

/** What AWS IoT and the table hold. */
export class World {
  readonly authorities = new Map<string, { pem: string; active: boolean; autoRegistration: boolean }>();
  readonly certificates = new Map<string, DeviceCertificate & { status: string }>();
  readonly things = new Map<string, Thing>();
  readonly principals = new Map<string, Set<string>>();
  readonly policies = new Set<string>();
  readonly manifest = new Map<string, ManifestEntry | 'invalid'>();
  readonly rotations = new Map<string, string>();
  readonly revoked = new Set<string>();
  readonly claims = new Map<string, string>();
  readonly held = new Map<string, Refusal & { count: number }>();
  readonly reported: string[] = [];
  settings: Settings = { manifest: 'open', defaultThingType: 'thingstead-device' };
  now = NOW;
  /** Called before and after every call of a port; what it throws or awaits happens there. */
  disturb: (point: string) => void | Promise<void> = () => {};

  constructor(ca: CertificateAuthority, caId = CA_ID) {
    this.authorities.set(caId, { pem: ca.pem, active: true, autoRegistration: true });
  }

  /** As AWS IoT does on the first CONNECT. */
  connect(issued: Issued, caCertificateId: string | undefined = CA_ID): string {
    const { certificateId, pem } = issued;
    const known = this.certificates.get(certificateId);
    const pending = { arn: arnOf(certificateId), pem, status: 'PENDING_ACTIVATION', caCertificateId };
    this.certificates.set(certificateId, known ?? pending);
    return certificateId;
  }

  changeCa(change: { readonly pem?: string; readonly active?: boolean; readonly autoRegistration?: boolean }): void {
    Object.assign(this.authorities.get(CA_ID) ?? {}, change);
  }

  status(certificateId: string): string | undefined {
    return this.certificates.get(certificateId)?.status;
  }

  heldReason(certificateId: string): HeldReason | undefined {
    return this.held.get(certificateId)?.reason;
  }

  /** Everything that stays, to compare two histories by. */
  snapshot(): unknown {
    return {
      certificates: [...this.certificates].map(([id, { status }]) => [id, status]).sort(),
      things: [...this.things].sort(),
      principals: [...this.principals].map(([thing, arns]) => [thing, [...arns].sort()]).sort(),
      policies: [...this.policies].sort(),
      claims: [...this.claims].sort(),
      held: [...this.held].map(([id, { reason }]) => [id, reason]).sort(),
    };
  }

  ports(): Ports {
    const call = async <T>(name: string, effect: () => T): Promise<T> => {
      await this.disturb(`before ${name}`);
      const result = effect();
      await this.disturb(`after ${name}`);
      return result;
    };
    const known = (id: string) => {
      const certificate = this.certificates.get(id);
      if (!certificate) throw new Error(`no certificate ${id}`);
      return certificate;
    };
    return {
      settings: this.settings,
      now: () => this.now,
      registry: {
        certificate: (id) =>
          call('certificate', () => {
            const certificate = this.certificates.get(id);
            return certificate && { ...certificate };
          }),
        authority: (id) => call('authority', () => this.authorities.get(id)),
        principalsOf: (thing) => call('principalsOf', () => [...(this.principals.get(thing) ?? [])]),
        thing: (name) => call('thing', () => this.things.get(name)),
        createThing: (thing) =>
          call('createThing', () => {
            if (this.things.has(thing.name)) return false;
            this.things.set(thing.name, thing);
            return true;
          }),
        updateThing: (thing) =>
          call('updateThing', () => {
            const attributes = { ...this.things.get(thing.name)?.attributes, ...thing.attributes };
            this.things.set(thing.name, { ...thing, attributes });
          }),
        attachPolicy: (arn) => call('attachPolicy', () => void this.policies.add(arn)),
        attachThing: (arn, thing) =>
          call('attachThing', () => {
            this.principals.set(thing, (this.principals.get(thing) ?? new Set()).add(arn));
          }),
        setStatus: (id, status) =>
          call('setStatus', () => {
            known(id).status = status;
          }),
      },
      records: {
        manifestEntry: (thing) => call('manifestEntry', () => this.manifest.get(thing)),
        nextCertificate: (thing) => call('nextCertificate', () => this.rotations.get(thing)),
        isRevoked: ({ certificateId, caCertificateId, serialNumber }) =>
          call(
            'isRevoked',
            () => this.revoked.has(certificateId) || this.revoked.has(`${caCertificateId}#${serialNumber}`),
          ),
        claimant: (thing) => call('claimant', () => this.claims.get(thing)),
        claim: ({ thing, certificateId }, { replace }) =>
          call('claim', () => {
            const holder = this.claims.get(thing);
            if (!replace && holder !== undefined && holder !== certificateId) return false;
            this.claims.set(thing, certificateId);
            return true;
          }),
        hold: (refusal) =>
          call('hold', () => {
            const count = (this.held.get(refusal.certificateId)?.count ?? 0) + 1;
            this.held.set(refusal.certificateId, { ...refusal, count });
          }),
        release: (id) => call('release', () => void this.held.delete(id)),
      },
      reports: {
        admitted: ({ thing }) => void this.reported.push(`admitted ${thing}`),
        held: ({ reason }) => void this.reported.push(`held ${reason}`),
        ignored: (_, status) => void this.reported.push(`ignored ${status}`),
      },
    };
  }
}
