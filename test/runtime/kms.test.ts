/** AWS KMS: keys, their states, what they encrypt and sign, and who may use them. */
import { constants, createHash, createPublicKey, verify } from 'node:crypto';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsJson } from '../support/aws-json.ts';
import { bytes, kmsClient } from '../support/kms.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const DAY = 86_400;
const ACCOUNT = '123456789012';
const root = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
  Action: 'kms:*',
  Resource: '*',
};

const assembly = new Assembly()
  .add('FilesKey', 'AWS::KMS::Key', {
    EnableKeyRotation: true,
    KeyPolicy: { Version: '2012-10-17', Statement: [root] },
    Tags: [{ Key: 'for', Value: 'files' }],
  })
  .add('FilesAlias', 'AWS::KMS::Alias', { AliasName: 'alias/files', TargetKeyId: arnOf('FilesKey') });

let runtime: Runtime;
let kms: AwsJson;

beforeAll(async () => {
  runtime = await assembly.start();
  kms = kmsClient(runtime);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function createKey(input: Readonly<Record<string, unknown>> = {}): Promise<{ KeyId: string; Arn: string }> {
  const { KeyMetadata } = await kms('CreateKey', input);
  return KeyMetadata as { KeyId: string; Arn: string };
}

/** KMS as a role with this policy. */
async function asRole(RoleName: string, statement: object): Promise<AwsJson> {
  const iam = new IAMClient(runtime.config);
  const trust = { Effect: 'Allow', Principal: root.Principal, Action: 'sts:AssumeRole' };
  const document = (each: object) => JSON.stringify({ Version: '2012-10-17', Statement: [each] });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument: document(statement) }));
  const { Credentials: given } = await new STSClient(runtime.config).send(
    new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`, RoleSessionName: 'test' }),
  );
  return kmsClient(runtime, {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  });
}

const Plaintext = Buffer.from('milk');
const EncryptionContext = { thing: 'barn-1', transfer: 't1' };

describe('a symmetric key', () => {
  it('decrypts what it encrypted, with the same context in any order, and no other', async () => {
    const { KeyId, Arn } = await createKey();
    const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext, EncryptionContext });

    const opened = await kms('Decrypt', { CiphertextBlob, EncryptionContext: { transfer: 't1', thing: 'barn-1' } });

    expect(opened).toMatchObject({ KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    expect(bytes(opened.Plaintext)).toEqual(Plaintext);
    const refused = { name: 'InvalidCiphertextException' };
    await expect(kms('Decrypt', { CiphertextBlob })).rejects.toMatchObject(refused);
    const other = { ...EncryptionContext, thing: 'barn-2' };
    await expect(kms('Decrypt', { CiphertextBlob, EncryptionContext: other })).rejects.toMatchObject(refused);
  });

  it('notices a changed byte anywhere, and says when another key is named', async () => {
    const { KeyId } = await createKey();
    const { KeyId: another } = await createKey();
    const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext });
    const sealed = bytes(CiphertextBlob);
    for (const at of [0, 10, 40, 55, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(kms('Decrypt', { CiphertextBlob: changed })).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      });
    }
    await expect(kms('Decrypt', { CiphertextBlob, KeyId: another })).rejects.toMatchObject({
      name: 'IncorrectKeyException',
    });
  });

  it('gives data keys, with and without their plaintext, and encrypts anew under another key', async () => {
    const { KeyId } = await createKey();
    const target = await createKey();
    const made = await kms('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext });

    const again = await kms('ReEncrypt', {
      CiphertextBlob: made.CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: target.KeyId,
    });
    const opened = await kms('Decrypt', { CiphertextBlob: again.CiphertextBlob, KeyId: target.Arn });

    expect(bytes(made.Plaintext)).toHaveLength(32);
    expect(opened.Plaintext).toBe(made.Plaintext);
    const hidden = await kms('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 20 });
    expect(hidden.Plaintext).toBeUndefined();
    expect(bytes((await kms('Decrypt', { CiphertextBlob: hidden.CiphertextBlob })).Plaintext)).toHaveLength(20);
    await expect(kms('GenerateDataKey', { KeyId })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('is of no use while disabled or about to be deleted, and is gone after its waiting time', async () => {
    const { KeyId } = await createKey();
    const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext });
    await kms('DisableKey', { KeyId });
    await expect(kms('Decrypt', { CiphertextBlob })).rejects.toMatchObject({ name: 'DisabledException' });
    await kms('EnableKey', { KeyId });
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await expect(kms('Encrypt', { KeyId, Plaintext })).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    await kms('CancelKeyDeletion', { KeyId });
    await kms('EnableKey', { KeyId });
    await kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 8 });

    await runtime.advance(7 * DAY + 60);
    expect((await kms('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ KeyState: 'PendingDeletion' });
    await runtime.advance(DAY);

    await expect(kms('DescribeKey', { KeyId })).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});

describe('an asymmetric key', () => {
  const message = Buffer.from('firmware 1.2.3');

  it.each([
    ['ECC_NIST_P256', 'ECDSA_SHA_256', {}],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', {}],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', {}],
    ['RSA_2048', 'RSASSA_PSS_SHA_384', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }],
  ])('%s signs messages and digests by %s as OpenSSL verifies them', async (KeySpec, SigningAlgorithm, options) => {
    const { KeyId } = await createKey({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const hash = `sha${SigningAlgorithm.slice(-3)}`;
    const digest = createHash(hash).update(message).digest();
    const { PublicKey } = await kms('GetPublicKey', { KeyId });
    const key = createPublicKey({ key: bytes(PublicKey), format: 'der', type: 'spki' });

    const raw = await kms('Sign', { KeyId, Message: message, SigningAlgorithm });
    const prepared = await kms('Sign', { KeyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm });

    for (const { Signature } of [raw, prepared]) {
      expect(verify(hash, message, { key, ...options }, bytes(Signature))).toBe(true);
      expect(await kms('Verify', { KeyId, Message: message, Signature, SigningAlgorithm })).toMatchObject({
        SignatureValid: true,
      });
    }
    const { Signature } = raw;
    const other = { KeyId, Message: Buffer.from('firmware 1.2.4'), Signature, SigningAlgorithm };
    await expect(kms('Verify', other)).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' });
    const short = { KeyId, Message: digest.subarray(1), MessageType: 'DIGEST', SigningAlgorithm };
    await expect(kms('Sign', short)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('refuses to encrypt, and a symmetric key to sign', async () => {
    const signing = await createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const { KeyId } = await createKey();

    const refused = { name: 'InvalidKeyUsageException' };
    await expect(kms('Encrypt', { KeyId: signing.KeyId, Plaintext })).rejects.toMatchObject(refused);
    const toSign = { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' };
    await expect(kms('Sign', toSign)).rejects.toMatchObject(refused);
  });
});

it('codes of HMAC keys are verified', async () => {
  const { KeyId } = await createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const asked = { KeyId, Message: Buffer.from('hay'), MacAlgorithm: 'HMAC_SHA_256' };

  const { Mac } = await kms('GenerateMac', asked);

  expect(await kms('VerifyMac', { ...asked, Mac })).toMatchObject({ MacValid: true });
  await expect(kms('VerifyMac', { ...asked, Message: Buffer.from('oat'), Mac })).rejects.toMatchObject({
    name: 'KMSInvalidMacException',
  });
});

describe('who may use a key', () => {
  it('is decided by IAM policies if the key policy leaves it to the account, by encryption context too', async () => {
    const { KeyId, Arn } = await createKey();
    const Condition = { StringEquals: { 'kms:EncryptionContext:thing': 'barn-1' } };
    const reader = await asRole('reader', { Effect: 'Allow', Action: 'kms:Decrypt', Resource: Arn, Condition });
    const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext, EncryptionContext });
    const foreign = { thing: 'barn-2' };
    const other = await kms('Encrypt', { KeyId, Plaintext, EncryptionContext: foreign });

    expect(bytes((await reader('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext)).toEqual(Plaintext);

    const denied = { name: 'AccessDeniedException' };
    await expect(
      reader('Decrypt', { CiphertextBlob: other.CiphertextBlob, EncryptionContext: foreign }),
    ).rejects.toMatchObject(denied);
    await expect(reader('Encrypt', { KeyId, Plaintext, EncryptionContext })).rejects.toMatchObject(denied);
  });

  it('is decided by the key policy alone if that names roles', async () => {
    const everything = { Effect: 'Allow', Action: 'kms:*', Resource: '*' };
    const rich = await asRole('rich', everything);
    const named = await asRole('named', { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' });
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:role/named` };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...everything, Principal }] });
    const { KeyId } = await createKey({ Policy });

    const { CiphertextBlob } = await named('Encrypt', { KeyId, Plaintext });

    await expect(rich('Decrypt', { CiphertextBlob })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('no resource-based policy allows the kms:Decrypt action'),
    });
  });

  it('is checked when it is set', async () => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...root, Efect: 'Allow' }] });

    await expect(kms('CreateKey', { Policy })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: expect.stringContaining('Efect'),
    });
  });

  it('cannot hang on a condition that is not emulated', async () => {
    const Condition = { StringEquals: { 'kms:RecipientAttestation:PCR0': 'x' } };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...root, Condition }] });

    await expect(kms('CreateKey', { Policy })).rejects.toMatchObject({
      name: 'NotEmulated',
      message: expect.stringContaining('kms:RecipientAttestation:PCR0'),
    });
  });
});

describe('an alias', () => {
  it('of the template names its key wherever a key is used', async () => {
    const { KeyMetadata } = await kms('DescribeKey', { KeyId: 'alias/files' });
    const { CiphertextBlob } = await kms('Encrypt', { KeyId: 'alias/files', Plaintext });
    const { KeyId } = KeyMetadata as { KeyId: string };

    expect(bytes((await kms('Decrypt', { CiphertextBlob, KeyId })).Plaintext)).toEqual(Plaintext);
    expect(await kms('GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true });
    expect(await kms('ListResourceTags', { KeyId })).toMatchObject({ Tags: [{ TagKey: 'for', TagValue: 'files' }] });
  });

  it('can be turned to another key, and is unique', async () => {
    const { KeyId: TargetKeyId } = await createKey();
    await expect(kms('CreateAlias', { AliasName: 'alias/files', TargetKeyId })).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    });

    await kms('UpdateAlias', { AliasName: 'alias/files', TargetKeyId });

    expect((await kms('DescribeKey', { KeyId: 'alias/files' })).KeyMetadata).toMatchObject({ KeyId: TargetKeyId });
    await kms('DeleteAlias', { AliasName: 'alias/files' });
    await expect(kms('DescribeKey', { KeyId: 'alias/files' })).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});
