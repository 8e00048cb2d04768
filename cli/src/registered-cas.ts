import {
  DescribeCACertificateCommand,
  GetRegistrationCodeCommand,
  paginateListCACertificates,
  RegisterCACertificateCommand,
} from '@aws-sdk/client-iot';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';
import { mapInParallel } from './things.ts';
import { certificateIdOf, commonNameOf, issueCertificate, type Pair } from './x509.ts';

export interface RegisteredCa {
  readonly certificateId: string;
  /** Common name of its subject. */
  readonly name: string;
  readonly status: string;
  readonly autoRegistration: string;
  readonly mode: string;
  readonly notAfter: string | undefined;
}

export type CaMode = 'sni-only' | 'default';

export async function listCas(cloud: Cloud): Promise<readonly RegisteredCa[]> {
  const ids: string[] = [];
  for await (const { certificates = [] } of paginateListCACertificates({ client: cloud.iot }, {})) {
    ids.push(...certificates.flatMap((each) => each.certificateId ?? []));
  }
  return mapInParallel(ids, (id) => describeCa(cloud, id));
}

async function describeCa({ iot }: Cloud, certificateId: string): Promise<RegisteredCa> {
  const { certificateDescription: found } = await iot.send(new DescribeCACertificateCommand({ certificateId }));
  return {
    certificateId,
    name: found?.certificatePem ? commonNameOf(found.certificatePem) : '',
    status: found?.status ?? 'UNKNOWN',
    autoRegistration: found?.autoRegistrationStatus ?? 'UNKNOWN',
    mode: found?.certificateMode ?? 'DEFAULT',
    notAfter: found?.validity?.notAfter?.toISOString(),
  };
}

/** Registers a CA, active and with automatic registration of the certificates it has issued. Gives its id. */
export function registerCa(cloud: Cloud, ca: Pick<Pair, 'certificate'>, mode: 'sni-only', now: number): Promise<string>;
export function registerCa(cloud: Cloud, ca: Pair, mode: CaMode, now: number): Promise<string>;
export async function registerCa(
  cloud: Cloud,
  ca: Pick<Pair, 'certificate'> & Partial<Pair>,
  mode: CaMode,
  now: number,
): Promise<string> {
  const { certificate, privateKey } = ca;
  const proof =
    mode === 'sni-only' || privateKey === undefined
      ? { certificateMode: 'SNI_ONLY' as const }
      : {
          certificateMode: 'DEFAULT' as const,
          verificationCertificate: await verificationCertificate(cloud, { certificate, privateKey }, now),
        };
  const { certificateId } = await cloud.iot.send(
    new RegisterCACertificateCommand({
      caCertificate: ca.certificate,
      setAsActive: true,
      allowAutoRegistration: true,
      ...proof,
    }),
  );
  return certificateId ?? certificateIdOf(ca.certificate);
}

/** Proves that we have the CA's key: it signs a certificate with the account's registration code as common name. */
async function verificationCertificate({ iot }: Cloud, ca: Pair, now: number): Promise<string> {
  const { registrationCode } = await iot.send(new GetRegistrationCodeCommand({}));
  if (!registrationCode) throw new CommandError('failed', 'AWS IoT gave no registration code.');
  return (await issueCertificate(ca, registrationCode, 1, now)).certificate;
}

/** One CA by its id or by the common name of its subject. @throws CommandError when there is none, or more than one. */
export async function findCa(cloud: Cloud, idOrName: string): Promise<RegisteredCa> {
  const cas = await listCas(cloud);
  const found = cas.filter((each) => each.certificateId === idOrName || each.name === idOrName);
  const [first, ...more] = found;
  if (!first) {
    throw new CommandError('notFound', `No CA "${idOrName}" is registered here.`, { next: 'thingstead ca list' });
  }
  if (more.length > 0) {
    throw new CommandError('conflict', `${found.length} CAs are named "${idOrName}".`, {
      causes: found.map((each) => each.certificateId),
      next: 'thingstead ca deactivate ID',
    });
  }
  return first;
}
