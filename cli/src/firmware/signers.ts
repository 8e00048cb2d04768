/** Keys with which documents are signed: in files of an operator, or in AWS KMS. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GetPublicKeyCommand, type KMSClient, NotFoundException, SignCommand } from '@aws-sdk/client-kms';
import type { FirmwareTrust, SignedDocument } from '@thingstead/contracts/firmware';
import { bytesToSign, keyIdOf, trustedKey } from '@thingstead/crypto/signed-document';
import { CommandError } from '../command-error.ts';

/** As it stands in a trust document. */
export type PublicKey = FirmwareTrust['releaseKeys'][number];

export interface Signer {
  readonly publicKey: PublicKey;
  /** ECDSA with SHA-256, DER in base64. */
  sign(bytes: Buffer): Promise<string>;
}

export interface SignerOptions {
  /** Files with a private key. */
  readonly key?: readonly string[];
  /** Ids, ARNs or aliases of keys in KMS. */
  readonly kmsKey?: readonly string[];
}

/** A new private key on P-256: PKCS #8 in PEM. */
export function newKey(): { readonly pem: string; readonly publicKey: PublicKey } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { pem: String(privateKey.export({ format: 'pem', type: 'pkcs8' })), publicKey: publicKeyOf(publicKey) };
}

/** All that are named. @throws CommandError for a file or a key that cannot be used */
export async function signersFrom(
  { key = [], kmsKey = [] }: SignerOptions,
  kms: () => KMSClient,
): Promise<readonly Signer[]> {
  return Promise.all([...key.map(async (file) => fileSigner(file)), ...kmsKey.map((id) => kmsSigner(id, kms()))]);
}

/** The public half of a key in a file, private or public. @throws CommandError (usage) */
export function publicKeyIn(file: string): PublicKey {
  return publicKeyOf(
    readKey(file, (pem) => createPublicKey(pem)),
    file,
  );
}

/** The public half of a key in KMS. @throws CommandError (not found) */
export async function publicKeyInKms(KeyId: string, kms: KMSClient): Promise<PublicKey> {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId })).catch((cause: unknown) => {
    if (!(cause instanceof NotFoundException)) throw cause;
    throw new CommandError('notFound', `There is no key ${KeyId} in KMS.`, {
      causes: [
        'the setting thingstead:firmware says that releases are signed offline',
        'the state stack is not deployed',
      ],
      cause,
    });
  });
  if (!PublicKey) throw new CommandError('failed', `KMS gave no public key of ${KeyId}.`);
  return checked({ keyId: keyIdOf(PublicKey), spki: Buffer.from(PublicKey).toString('base64') }, KeyId);
}

/** Adds the signatures of these; one of the same key is replaced. */
export async function signedWith(
  type: string,
  { document, signatures }: { readonly document: string; readonly signatures: SignedDocument['signatures'] },
  signers: readonly Signer[],
): Promise<SignedDocument> {
  const bytes = bytesToSign(type, Buffer.from(document, 'base64'));
  const added = await Promise.all(
    signers.map(async (signer) => ({ keyId: signer.publicKey.keyId, signature: await signer.sign(bytes) })),
  );
  const others = signatures.filter(({ keyId }) => !added.some((each) => each.keyId === keyId));
  return { document, signatures: [...others, ...added] };
}

function fileSigner(file: string): Signer {
  const key = readKey(file, (pem) => createPrivateKey(pem));
  return {
    publicKey: publicKeyOf(createPublicKey(key), file),
    sign: async (bytes) => sign('sha256', bytes, key).toString('base64'),
  };
}

async function kmsSigner(KeyId: string, kms: KMSClient): Promise<Signer> {
  const publicKey = await publicKeyInKms(KeyId, kms);
  return {
    publicKey,
    async sign(bytes) {
      const Message = createHash('sha256').update(bytes).digest();
      const { Signature } = await kms.send(
        new SignCommand({ KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
      );
      if (!Signature) throw new CommandError('failed', `KMS gave no signature of ${KeyId}.`);
      return Buffer.from(Signature).toString('base64');
    },
  };
}

function readKey(file: string, read: (pem: string) => KeyObject): KeyObject {
  try {
    return read(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CommandError('usage', `${file} is no key in PEM.`, {
      causes: ['"thingstead firmware key create FILE" makes one'],
      cause,
    });
  }
}

function publicKeyOf(key: KeyObject, name = 'the key'): PublicKey {
  const der = key.export({ format: 'der', type: 'spki' });
  return checked({ keyId: keyIdOf(der), spki: der.toString('base64') }, name);
}

function checked(key: PublicKey, name: string): PublicKey {
  try {
    trustedKey(key);
    return key;
  } catch (cause) {
    throw new CommandError('usage', `${name} is no key on P-256.`, { cause });
  }
}
