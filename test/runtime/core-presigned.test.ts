/** What only S3 clients send: presigned addresses and streamed bodies. */
import { Readable } from 'node:stream';
import { Sha256 } from '@aws-crypto/sha256-js';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let s3: S3Client;

beforeAll(async () => {
  runtime = await startRuntime();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'barn' }));
  await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'a b/ü+(1).txt', Body: 'hay' }));
});
afterAll(() => runtime.stop());

/** A presigned GET of that object. */
async function presign(expiresIn: number): Promise<string> {
  const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
  const signer = new SignatureV4({ ...runtime.config, service: 's3', sha256: Sha256, uriEscapePath: false });
  const key = encodeURIComponent('a b/ü+(1).txt').replace('%2F', '/');
  const request = new HttpRequest({
    method: 'GET',
    hostname,
    port: Number(port),
    path: `/barn/${key}`,
    headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  });
  const { path, query } = await signer.presign(request, { expiresIn, unhoistableHeaders: new Set() });
  return `${runtime.endpoints.awsEndpoint}${path}?${new URLSearchParams(query as Record<string, string>).toString().replaceAll('+', '%20')}`;
}

describe('a presigned address', () => {
  it('gives the object to anyone who has it, until it expires by virtual time', async () => {
    const url = await presign(600);

    expect(await (await fetch(url)).text()).toBe('hay');
    await runtime.advance(601);
    const late = await fetch(url);

    expect(late.status).toBe(403);
    expect(await late.text()).toMatch(/<Code>AccessDenied<.*Request has expired/s);
  });

  it('is for one object and cannot be extended', async () => {
    await runtime.reset();
    const url = await presign(600);

    expect((await fetch(url.replace('1%29', '2%29').replace('(1)', '(2)'))).status).toBe(403);
    expect(await (await fetch(url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000'))).text()).toContain(
      '<Code>SignatureDoesNotMatch<',
    );
  });
});

describe('a streamed body', () => {
  it('arrives as it was sent, and its checksum is checked', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'silo' }));
    const bytes = Buffer.alloc(300_000, 'grain ');

    await s3.send(
      new PutObjectCommand({ Bucket: 'silo', Key: 'g', Body: Readable.from([bytes]), ContentLength: bytes.length }),
    );

    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'silo', Key: 'g' }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
  });
});

describe('S3 clients', () => {
  it('are refused in the words of S3', async () => {
    const credentials = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' };
    const unknown = new S3Client({ ...runtime.config, credentials, forcePathStyle: true });

    await expect(unknown.send(new GetObjectCommand({ Bucket: 'barn', Key: 'x' }))).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidAccessKeyId' }),
    );
  });
});
