/** What we encrypt with a data key of KMS, AWS's own keyring decrypts with KMS, and the other way round. */

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { KMS, KmsKeyringNode } from '@aws-crypto/kms-keyring-node';
import { type FileDataKey, fileContext } from '@thingstead/contracts/files';
import { decryptFile } from '@thingstead/crypto/decrypt-file';
import { encryptFile } from '@thingstead/crypto/encrypt-file';
import { CLIENT_OPTIONS, SUITE } from '@thingstead/crypto/message-format';
import type { AwsJson } from '../support/aws-json.ts';
import { kmsClient } from '../support/kms.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const context = fileContext({
  ...{ stage: 'dev', thing: 'barn-1', transfer: '01JD6Z8W7M3Q5V9X2T4B6N8P0R', direction: 'to-device' },
});

let runtime: Runtime;
let kms: AwsJson;
let keyArn: string;
let keyring: KmsKeyringNode;

beforeAll(async () => {
  runtime = await startRuntime();
  kms = kmsClient(runtime);
  const { KeyMetadata } = await kms('CreateKey', {});
  keyArn = String((KeyMetadata as { Arn: string }).Arn);
  // The types of the keyring and of the client differ in what may be undefined.
  keyring = new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider: (() => new KMS(runtime.config)) as never });
});
afterAll(() => runtime.stop());

test('AWS reads what we have written with a data key that KMS has made before', async () => {
  const made = await kms('GenerateDataKey', { KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context });
  const dataKey = { plaintext: String(made.Plaintext), wrapped: String(made.CiphertextBlob), keyArn, context };
  const encrypted = await buffer(encryptFile(Readable.from([Buffer.from('milk')]), dataKey));
  const { plaintext, messageHeader } = await buildDecrypt(CLIENT_OPTIONS).decrypt(keyring, encrypted);
  expect(plaintext.toString()).toBe('milk');
  expect(messageHeader.encryptionContext).toEqual(context);
});

test('we read what AWS has written, with the data key that KMS unwraps', async () => {
  const { encrypt } = buildEncrypt(CLIENT_OPTIONS);
  const options = { suiteId: SUITE, encryptionContext: context };
  const { result, messageHeader } = await encrypt(keyring, Buffer.from('milk'), options);
  const [wrapped] = messageHeader.encryptedDataKeys.map(({ encryptedDataKey }) => Buffer.from(encryptedDataKey));
  const CiphertextBlob = wrapped?.toString('base64') ?? '';
  const { Plaintext } = await kms('Decrypt', { CiphertextBlob, EncryptionContext: context });
  const dataKey: FileDataKey = { plaintext: String(Plaintext), wrapped: CiphertextBlob, keyArn, context };
  expect((await buffer(decryptFile(Readable.from([result]), dataKey))).toString()).toBe('milk');
});

test('KMS gives the key of a file in no other context', async () => {
  const made = await kms('GenerateDataKey', { KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context });
  const dataKey = { plaintext: String(made.Plaintext), wrapped: String(made.CiphertextBlob), keyArn, context };
  const other = { ...context, 'thingstead:thing': 'barn-2' };
  const encrypted = await buffer(encryptFile(Readable.from([Buffer.from('milk')]), { ...dataKey, context: other }));
  await expect(buildDecrypt(CLIENT_OPTIONS).decrypt(keyring, encrypted)).rejects.toThrow();
});
