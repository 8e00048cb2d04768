/** Objects uploaded in parts, through the SDK. */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const DAY = 86_400;
const MIB = 1024 ** 2;
const at = { Bucket: 'barn', Key: 'in/large' };
const first = Buffer.alloc(5 * MIB, 'a');
const second = Buffer.from('the end');

const assembly = new Assembly().add('Barn', 'AWS::S3::Bucket', {
  BucketName: 'barn',
  LifecycleConfiguration: {
    Rules: [{ Status: 'Enabled', Prefix: 'in/', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }],
  },
});

let runtime: Runtime;
let s3: S3Client;

beforeAll(async () => {
  runtime = await assembly.start();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

async function begin(more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...more }));
  return { ...at, ...more, UploadId };
}

type Upload = Awaited<ReturnType<typeof begin>>;

async function put({ UploadId }: Upload, PartNumber: number, Body: Buffer) {
  const { $metadata, ...part } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
  return { ...part, PartNumber };
}

function complete({ UploadId }: Upload, Parts: { PartNumber: number; ETag?: string | undefined }[]) {
  const listed = Parts.map(({ PartNumber, ETag = '' }) => ({ PartNumber, ETag }));
  return s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: listed } }));
}

const hashOf = (name: string, ...parts: Buffer[]) => createHash(name).update(Buffer.concat(parts)).digest();

it('becomes one object of all parts, with the headers of its beginning and the ETag of S3', async () => {
  const upload = await begin({ ContentType: 'application/zip', Metadata: { from: 'barn-1' } });
  const end = await put(upload, 7, second);
  const start = await put(upload, 2, first);

  const { ETag, Location } = await complete(upload, [start, end]);

  const got = await s3.send(new GetObjectCommand(at));
  const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
  // Jest compares buffers byte by byte, which takes a minute at this size.
  expect(body.equals(Buffer.concat([first, second]))).toBe(true);
  expect(got).toMatchObject({ ContentType: 'application/zip', Metadata: { from: 'barn-1' }, ETag });
  const digest = hashOf('md5', hashOf('md5', first), hashOf('md5', second)).toString('hex');
  expect(ETag).toBe(`"${digest}-2"`);
  expect(Location).toContain('barn');
  await expect(complete(upload, [start, end])).rejects.toMatchObject({ name: 'NoSuchUpload' });
});

it('has a checksum over the checksums of its parts', async () => {
  const upload = await begin({ ChecksumAlgorithm: 'SHA256' });
  const send = (PartNumber: number, Body: Buffer) =>
    s3.send(new UploadPartCommand({ ...at, UploadId: upload.UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' }));
  const parts = [await send(1, first), await send(2, second)];

  await complete(
    upload,
    parts.map(({ ETag }, index) => ({ ETag, PartNumber: index + 1 })),
  );

  const { ChecksumSHA256, ChecksumType } = await s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }));
  const expected = hashOf('sha256', hashOf('sha256', first), hashOf('sha256', second)).toString('base64');
  expect({ ChecksumSHA256, ChecksumType }).toEqual({ ChecksumSHA256: `${expected}-2`, ChecksumType: 'COMPOSITE' });
});

it('takes parts from other objects', async () => {
  await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'source', Body: 'oats, hay' }));
  const upload = await begin();
  const copy = { ...at, UploadId: upload.UploadId, PartNumber: 1, CopySource: 'barn/source' };

  const { CopyPartResult } = await s3.send(new UploadPartCopyCommand({ ...copy, CopySourceRange: 'bytes=6-8' }));
  await complete(upload, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);

  expect(await (await s3.send(new GetObjectCommand(at))).Body?.transformToString()).toBe('hay');
});

it('refuses parts that are too small, out of order, unknown or changed, and keeps the upload', async () => {
  const upload = await begin();
  const [small, large] = [await put(upload, 1, second), await put(upload, 2, first)];

  await expect(complete(upload, [small, large])).rejects.toMatchObject({ name: 'EntityTooSmall' });
  await expect(complete(upload, [large, small])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
  await expect(complete(upload, [{ ...small, PartNumber: 3 }])).rejects.toMatchObject({ name: 'InvalidPart' });
  await expect(complete(upload, [{ ...small, ETag: large.ETag }])).rejects.toMatchObject({ name: 'InvalidPart' });
  await expect(put(upload, 10_001, second)).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(s3.send(new HeadObjectCommand(at))).rejects.toMatchObject({ name: 'NotFound' });

  expect((await complete(upload, [small])).ETag).toMatch(/-1"$/);
});

it('is listed with its parts until it is aborted', async () => {
  const upload = await begin();
  await begin({ Key: 'other' });
  await put(upload, 3, second);
  await put(upload, 1, second);
  const { Bucket, Key, UploadId } = upload;

  const page = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }));
  const PartNumberMarker = page.NextPartNumberMarker;
  const next = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker }));
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'in/' }));
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));

  expect(page).toMatchObject({ IsTruncated: true, Parts: [{ PartNumber: 1, Size: second.length }] });
  expect(next).toMatchObject({ IsTruncated: false, Parts: [{ PartNumber: 3 }] });
  expect(Uploads).toMatchObject([{ Key, UploadId }]);
  await expect(s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).rejects.toMatchObject({
    name: 'NoSuchUpload',
  });
});

it('is aborted by the life cycle of the bucket when it was never completed', async () => {
  await begin();
  await begin({ Key: 'other' });

  await runtime.advance(4 * DAY);

  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'barn' }));
  expect(Uploads).toMatchObject([{ Key: 'other' }]);
});
