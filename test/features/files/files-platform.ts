/** People with a thing, and a simple MQTT device that transfers files as the agent does. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { objectKeyOf } from '@thingstead/contracts/file-store';
import {
  FileAnswer,
  type FileDataKey,
  FileRejection,
  type FileRequest,
  PART_BYTES,
  type PartUrls,
  type SentFile,
} from '@thingstead/contracts/files';
import { type GrantRow, grantKey, type Role, targetKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { filesTopic } from '@thingstead/contracts/topics';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { decryptFile } from '@thingstead/crypto/decrypt-file';
import { encryptFile } from '@thingstead/crypto/encrypt-file';
import * as v from 'valibot';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { Person } from '../../support/person.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

type Answers = v.InferOutput<typeof FileAnswer>;
type AnswerTo<Type extends string> = Extract<Answers, { type: Type }>;
type Rejected = v.InferOutput<typeof FileRejection>;

const ANSWER_TIMEOUT_MS = 30_000;

/** A new id of a transfer. */
export function newTransfer(time = Date.now()): string {
  return ulidOf(time, randomBytes(ULID_RANDOM_BYTES));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

export function encrypt(bytes: Uint8Array, dataKey: FileDataKey): Promise<Buffer> {
  return buffer(encryptFile(Readable.from([Buffer.from(bytes)]), dataKey));
}

export function decrypt(bytes: Uint8Array, dataKey: FileDataKey): Promise<Buffer> {
  return buffer(decryptFile(Readable.from([Buffer.from(bytes)]), dataKey));
}

/** What is encrypted, in parts, with what is said of each. */
export function partsOf(bytes: Buffer) {
  return Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, at) => {
    const body = bytes.subarray(at * PART_BYTES, (at + 1) * PART_BYTES);
    return { body, part: { number: at + 1, bytes: body.length, sha256: sha256(body) } };
  });
}

/** PUTs a part to its URL, as its headers say. */
export function put(
  { url, headers }: PartUrls['urls'][number],
  body: Buffer,
  other: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url, { method: 'PUT', headers: { ...headers, ...other }, body: new Uint8Array(body) });
}

type AskUrls = (parts: readonly { number: number; bytes: number; sha256: string }[]) => Promise<PartUrls>;

/** Puts all parts; gives what `complete` wants to hear. */
export async function putAll(encrypted: Buffer, urls: AskUrls): Promise<SentFile> {
  const sent: SentFile['parts'] = [];
  for (const { part, body } of partsOf(encrypted)) {
    const [url] = (await urls([part])).urls;
    if (!url) throw new Error('no URL came');
    const answer = await put(url, body);
    if (!answer.ok) throw new Error(`S3 answered ${answer.status}: ${await answer.text()}`);
    sent.push({ number: part.number, etag: answer.headers.get('etag') ?? '' });
  }
  return { parts: sent, bytes: encrypted.length, sha256: sha256(encrypted) };
}

export type FilesDevice = Awaited<ReturnType<typeof filesDevice>>;

/** Speaks of files over this connection. */
async function filesDevice(client: DeviceClient, thing: string) {
  const said: { readonly transfer: string; readonly answer: Answers | Rejected }[] = [];
  const looking = new Set<() => void>();
  client.on('message', (topic, payload) => {
    const [, , , transfer = ''] = topic.split('/');
    const schema = topic.endsWith('/accepted') ? FileAnswer : FileRejection;
    said.push({ transfer, answer: v.parse(schema, JSON.parse(payload.toString('utf8'))) });
    for (const look of looking) look();
  });
  for (const verdict of ['accepted', 'rejected']) await client.trySubscribe(`${filesTopic(thing, '+')}/${verdict}`);

  /** The next message of this kind that nobody has waited for. */
  async function hears<Answer>(transfer: string, isIt: (answer: Answers | Rejected) => boolean): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const look = (): void => {
        const at = said.findIndex((each) => each.transfer === transfer && isIt(each.answer));
        if (at === -1) return;
        const [found] = said.splice(at, 1);
        looking.delete(look);
        clearTimeout(timer);
        // `isIt` has looked.
        resolve(found?.answer as Answer);
      };
      const timer = setTimeout(
        () => reject(new Error(`no answer of ${transfer}: ${JSON.stringify(said)}`)),
        ANSWER_TIMEOUT_MS,
      );
      looking.add(look);
      look();
    });
  }

  async function say(transfer: string, request: FileRequest | string): Promise<void> {
    const payload = typeof request === 'string' ? request : JSON.stringify(request);
    await client.publishAsync(filesTopic(thing, transfer), payload, { qos: 1 });
  }

  async function asks<Request extends FileRequest>(
    transfer: string,
    request: Request,
  ): Promise<AnswerTo<Request['type']> | Rejected> {
    await say(transfer, request);
    return hears(transfer, ({ type }) => type === request.type);
  }

  /** @throws Error when it is rejected */
  async function gets<Request extends FileRequest>(
    transfer: string,
    request: Request,
  ): Promise<AnswerTo<Request['type']>> {
    const answer = await asks(transfer, request);
    if ('code' in answer) throw new Error(`${answer.code}: ${answer.reason}`);
    // Else it would have a code.
    return answer as AnswerTo<Request['type']>;
  }

  return {
    client,
    said,
    say,
    asks,
    gets,
    hears: <Type extends Answers['type']>(transfer: string, type: Type): Promise<AnswerTo<Type>> =>
      hears(transfer, (answer) => !('code' in answer) && answer.type === type),
    isRejected: (transfer: string): Promise<Rejected> => hears(transfer, (answer) => 'code' in answer),
    urls:
      (transfer: string): AskUrls =>
      (parts) =>
        gets(transfer, { type: 'parts', parts: [...parts] }),
    /** The whole of it. Gives what is encrypted. */
    async sends(
      content: Buffer,
      transfer = newTransfer(),
      name = 'log.txt',
    ): Promise<{ transfer: string; encrypted: Buffer }> {
      const { dataKey } = await gets(transfer, { type: 'upload', name, size: content.length });
      const encrypted = await encrypt(content, dataKey);
      const sent = await putAll(encrypted, (parts) => gets(transfer, { type: 'parts', parts: [...parts] }));
      await gets(transfer, { type: 'complete', ...sent });
      return { transfer, encrypted };
    },
  };
}

export async function filesPlatform(platform: Platform) {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
  const s3 = new S3Client({ ...platform.config, forcePathStyle: true });
  const Bucket = platform.output('FilesBucketName');
  const ca = await createCa(unique('files'));
  await platform.registerCa(ca);

  return {
    s3,
    Bucket,
    /** A thing that has been connected, and is not now. */
    async thing(name = 'camera'): Promise<DeviceCertificate> {
      const device = await issue(ca, unique(`${name}${randomBytes(3).toString('hex')}`));
      await platform.join(device);
      // A thing without a row is not there for people.
      await platform.soon(async () => assert(await platform.thingRow(device.thing)));
      return device;
    },

    /** As pairing and sharing write it. */
    async grant({ person }: Person, thing: string, role: Role, visibleFrom = 0): Promise<void> {
      const target = { kind: 'thing', name: thing } as const;
      const row: GrantRow = {
        ...grantKey(person, target),
        ...{ person, role, visibleFrom, target: targetKey(target), grantedBy: person, grantedAt: visibleFrom },
      };
      await tables.send(new PutCommand({ TableName: TABLE_NAMES.access, Item: row }));
    },

    async connect(device: DeviceCertificate): Promise<FilesDevice> {
      // The clock is advanced while it is connected.
      return filesDevice(await platform.connect(device, { keepalive: 0 }), device.thing);
    },

    /** A file of a person for a thing. Gives what is encrypted, and the key. */
    async sends({ api }: Person, thing: string, content: Buffer, name = 'settings.json') {
      const { transfer, dataKey } = await api.sendFile({ params: { thing }, body: { name, size: content.length } });
      const encrypted = await encrypt(content, dataKey);
      const params = { thing, transfer: transfer.id };
      const sent = await putAll(encrypted, (parts) => api.sendParts({ params, body: { parts: [...parts] } }));
      await api.completeFile({ params, body: sent });
      return { transfer: transfer.id, encrypted, dataKey, sent };
    },

    /** What S3 has of it; undefined when it has nothing. */
    async object(thing: string, transfer: string): Promise<Buffer | undefined> {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: objectKeyOf(thing, transfer) }));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    /** Behind everybody's back. */
    async replaceObject(thing: string, transfer: string, Body: Buffer): Promise<void> {
      await s3.send(new PutObjectCommand({ Bucket, Key: objectKeyOf(thing, transfer), Body }));
    },
  };
}
