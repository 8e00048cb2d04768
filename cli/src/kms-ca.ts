/** The CA whose key is in KMS: it signs what devices get when they renew their certificate. */
import { GetPublicKeyCommand, NotFoundException, SignCommand } from '@aws-sdk/client-kms';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';
import { createCaCertificate } from './x509.ts';

/** The key that the platform makes with the issuer `KMS`. */
const KEY = 'alias/thingstead-certificates';

/** A self-signed certificate for that key, in PEM. @throws CommandError (not found) when the platform has no such key. */
export async function createKmsCa({ kms }: Cloud, name: string, days: number, now: number): Promise<string> {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: KEY })).catch(explain);
  if (!PublicKey) throw new CommandError('failed', 'KMS gave no public key.');
  return createCaCertificate({ name, days, now }, PublicKey, async (digest) => {
    const { Signature } = await kms.send(
      new SignCommand({ KeyId: KEY, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    if (!Signature) throw new CommandError('failed', 'KMS gave no signature.');
    return Signature;
  });
}

function explain(cause: unknown): never {
  if (!(cause instanceof NotFoundException)) throw cause;
  throw new CommandError('notFound', `There is no key ${KEY} here.`, {
    causes: ['the platform makes it when it is deployed with the issuer KMS'],
    next: `cdk deploy --all -c 'thingstead:certificates={"issuer":"KMS"}'`,
    cause,
  });
}
