/** An operator who releases firmware, and a simple MQTT device that asks for it. */
import { createHash, randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateThingTypeCommand } from '@aws-sdk/client-iot';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  FirmwareAnswer,
  type FirmwareManifest,
  FirmwareRejection,
  type FirmwareRequest,
  type FirmwareTrust,
  RUNNING_FIRMWARE,
} from '@thingstead/contracts/firmware';
import { FIRMWARE_KEY_ALIASES } from '@thingstead/contracts/firmware-store';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { type FirmwareDeviceRow, firmwareDeviceKey } from '@thingstead/contracts/rollout-store';
import type { Release } from '@thingstead/contracts/routes/firmware';
import { firmwareTopic } from '@thingstead/contracts/topics';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { keyIdOf } from '@thingstead/crypto/signed-document';
import * as v from 'valibot';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { nextAnswer } from '../../support/next-answer.ts';
import { newPerson } from '../../support/person.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { keyPair, type Pair, signed } from '../../unit/firmware-keys.ts';

type AnswerTo<Type extends string> = Extract<FirmwareAnswer, { type: Type }>;

export const HARDWARE = 'rev-b';

/** A new id of an attempt. */
export function newAttempt(): string {
  return ulidOf(Date.now(), randomBytes(ULID_RANDOM_BYTES));
}

export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

/** What a device was answered. */
export type Answered<Type extends string> =
  | { readonly verdict: 'accepted'; readonly answer: AnswerTo<Type> }
  | { readonly verdict: 'rejected'; readonly answer: FirmwareRejection };

export type FirmwareDevice = Awaited<ReturnType<typeof firmwareDevice>>;

/** Speaks of its firmware over this connection. */
async function firmwareDevice(client: DeviceClient, thing: string) {
  for (const verdict of ['accepted', 'rejected']) await client.trySubscribe(`${firmwareTopic(thing, '+')}/${verdict}`);

  async function asks<Request extends FirmwareRequest>(
    attempt: string,
    request: Request | string,
  ): Promise<Answered<Request['type']>> {
    const topic = firmwareTopic(thing, attempt);
    const next = nextAnswer<Record<string, unknown>>(client, `${topic}/`);
    await client.publishAsync(topic, typeof request === 'string' ? request : JSON.stringify(request), { qos: 1 });
    const { verdict, ...answer } = await next;
    return verdict === 'accepted'
      ? // Answers have the type of what was asked.
        { verdict, answer: v.parse(FirmwareAnswer, answer) as AnswerTo<Request['type']> }
      : { verdict: 'rejected', answer: v.parse(FirmwareRejection, answer) };
  }

  return {
    client,
    thing,
    asks,
    /** @throws Error when it is rejected */
    async isGranted(attempt: string, nonce = newNonce()): Promise<AnswerTo<'grant'>> {
      const { verdict, answer } = await asks<Extract<FirmwareRequest, { type: 'grant' }>>(attempt, {
        type: 'grant',
        nonce,
      });
      if (verdict === 'rejected') throw new Error(`${answer.code}: ${answer.reason}`);
      return answer;
    },
    runs: (what: Omit<Extract<FirmwareRequest, { type: 'running' }>, 'type'>) =>
      asks(RUNNING_FIRMWARE, { type: 'running', ...what }),
  };
}

/** What is signed and released unless a test says otherwise. */
export interface NewRelease extends Partial<FirmwareManifest> {
  readonly image?: Buffer;
  readonly keys?: readonly Pair[];
}

export async function firmwarePlatform(platform: Platform) {
  const { config } = platform;
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const operator = await newPerson(platform, { groups: ['operator'] });
  const releaseKeys = [keyPair(), keyPair()] as const;
  const assignmentKey = await publicKeyOf(new KMSClient(config), FIRMWARE_KEY_ALIASES.assignment);
  const ca = await createCa(unique('firmware'));
  await platform.registerCa(ca);

  /** One of the two keys is enough, until a test says otherwise. */
  function trustOf(version: number, changes: Partial<FirmwareTrust> = {}): FirmwareTrust {
    return {
      type: 'trust',
      version,
      releaseKeys: releaseKeys.map(({ publicKey }) => publicKey),
      threshold: 1,
      assignmentKeys: [assignmentKey],
      ...changes,
    };
  }

  /** Again it is the same. */
  async function thingType(thingTypeName: string): Promise<void> {
    await platform.iot.send(new CreateThingTypeCommand({ thingTypeName }));
  }

  function signedRelease({ image = Buffer.from('image'), keys = [releaseKeys[0]], ...changes }: NewRelease) {
    const manifest: FirmwareManifest = {
      type: 'firmware',
      product: 'greenhouse',
      hardwareRevisions: [HARDWARE],
      version: `1.0.${changes.counter ?? 1}`,
      counter: 1,
      minimumCounter: 1,
      sha256: createHash('sha256').update(image).digest('hex'),
      size: image.length,
      expiresAt: Date.now() + 365 * 86_400_000,
      ...changes,
    };
    return { manifest, image, release: signed('firmware', manifest, ...keys) };
  }

  return {
    operator,
    tables,
    releaseKeys,
    assignmentKey,
    s3: new S3Client({ ...config, forcePathStyle: true }),
    Bucket: platform.output('FirmwareBucketName'),
    trustOf,
    signedRelease,

    /** Publishes a trust document, signed with these keys. */
    trust: (document: FirmwareTrust, ...keys: readonly Pair[]) =>
      operator.api.publishTrust({ body: { document: signed('trust', document, ...keys) } }),

    /** Makes it a product. */
    thingType,

    /** Signs it, uploads it, and ends the upload. */
    async release(of: NewRelease = {}): Promise<Release> {
      const { image, release, manifest } = signedRelease(of);
      await thingType(manifest.product);
      const { upload } = await operator.api.publishRelease({ body: { release } });
      if (upload) await put(upload, image);
      const { product, counter } = manifest;
      return operator.api.completeRelease({ params: { product, counter: String(counter) } });
    },

    /** A thing that has been connected, and is not now. */
    async thing(name = 'fan'): Promise<DeviceCertificate> {
      const device = await issue(ca, unique(`${name}${randomBytes(3).toString('hex')}`));
      await platform.join(device);
      return device;
    },

    async connect(device: DeviceCertificate): Promise<FirmwareDevice> {
      // The clock is advanced while it is connected.
      return firmwareDevice(await platform.connect(device, { keepalive: 0 }), device.thing);
    },

    /** As a rollout writes it. Gives the attempt. */
    async offer(thing: string, { product, counter, version, size }: Release, rest: Partial<FirmwareDeviceRow> = {}) {
      const attempt = newAttempt();
      const row: FirmwareDeviceRow = {
        ...{ state: 'OFFERED', attempt, product, counter, version, size, offeredAt: Date.now() },
        ...rest,
      };
      const names = Object.keys(row);
      await tables.send(
        new UpdateCommand({
          TableName: TABLE_NAMES.firmware,
          Key: firmwareDeviceKey(thing),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}${rest.rollout === undefined ? ' REMOVE rollout' : ''}`,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(
            Object.entries(row).map(([name, value]) => [`:${name}`, value]),
          ),
        }),
      );
      return attempt;
    },

    async deviceRow(thing: string): Promise<Record<string, unknown> | undefined> {
      const get = { TableName: TABLE_NAMES.firmware, Key: firmwareDeviceKey(thing), ConsistentRead: true };
      return (await tables.send(new GetCommand(get))).Item;
    },

    putRow: (Item: Record<string, unknown>) => tables.send(new PutCommand({ TableName: TABLE_NAMES.firmware, Item })),
  };
}

export type FirmwarePlatform = Awaited<ReturnType<typeof firmwarePlatform>>;

/** PUTs an image as the release's answer says. @throws Error with what S3 says */
export async function put(
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  image: Buffer,
): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', headers: sent(headers), body: new Uint8Array(image) });
  if (!answer.ok) throw new Error(`S3 answered ${answer.status}: ${await answer.text()}`);
}

/** `fetch` writes the length itself, of what it sends. */
function sent({ 'content-length': _, ...headers }: Readonly<Record<string, string>>): Record<string, string> {
  return headers;
}

async function publicKeyOf(kms: KMSClient, KeyId: string) {
  const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }));
  return { keyId: keyIdOf(PublicKey), spki: Buffer.from(PublicKey).toString('base64') };
}
