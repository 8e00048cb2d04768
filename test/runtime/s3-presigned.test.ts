/** Presigned requests to S3, and the checksums that come with a body. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { Sha256 } from '@aws-crypto/sha256-js';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const Bucket = 'barn';
const Body = 'hay';
const place = { Bucket, Key: 'a' };

let runtime: Runtime;
let s3: S3Client;

beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterEach(() => s3.destroy());

interface Presign {
  readonly method: 'GET' | 'PUT';
  /** Goes into the query, as SDKs do it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stays a header that the sender has to repeat. */
  readonly kept?: Readonly<Record<string, string>>;
  readonly expiresIn?: number;
  readonly credentials?: Runtime['config']['credentials'];
}

async function presign({ method, headers = {}, kept = {}, expiresIn = 600, credentials }: Presign): Promise<string> {
  const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
  const { region, credentials: operator } = runtime.config;
  const signer = new SignatureV4({
    region,
    credentials: credentials ?? operator,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });
  const request = new HttpRequest({
    method,
    hostname,
    port: Number(port),
    path: `/${Bucket}/${place.Key}`,
    headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers, ...kept },
  });
  const { path, query } = await signer.presign(request, {
    expiresIn,
    unhoistableHeaders: new Set(Object.keys(kept)),
  });
  const text = new URLSearchParams(query as Record<string, string>).toString().replaceAll('+', '%20');
  return `${runtime.endpoints.awsEndpoint}${path}?${text}`;
}

function upload(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { method: 'PUT', headers, body: Body });
}

function crc(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}

describe('a presigned upload', () => {
  it('has what its address carries: metadata, tags, checksum', async () => {
    const url = await presign({
      method: 'PUT',
      headers: {
        'x-amz-meta-from': 'field',
        'x-amz-tagging': 'kind=hay',
        'x-amz-sdk-checksum-algorithm': 'CRC32',
        'x-amz-checksum-crc32': crc(Body),
      },
    });

    expect((await upload(url)).status).toBe(200);

    const head = await s3.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ Metadata: { from: 'field' }, ChecksumCRC32: crc(Body) });
    const got = await s3.send(new GetObjectCommand(place));
    expect(got.TagCount).toBe(1);
  });

  it('with a checksum of another body is refused, as that of the empty one which SDKs presign', async () => {
    const checksum = { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc('') };

    const answer = await upload(await presign({ method: 'PUT', headers: checksum }));

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>BadDigest<');
  });

  it('must come with the headers that were signed, and with no other of S3', async () => {
    const encrypted = { 'x-amz-server-side-encryption': 'aws:kms' };
    const url = await presign({ method: 'PUT', kept: encrypted });

    const without = await upload(url);
    expect(without.status).toBe(403);
    expect(await without.text()).toContain('<Code>SignatureDoesNotMatch<');
    const more = await upload(url, { ...encrypted, 'x-amz-meta-more': 'x' });
    expect(more.status).toBe(403);
    expect(await more.text()).toMatch(/<Code>AccessDenied<.*not signed.*<HeadersNotSigned>x-amz-meta-more</s);

    expect((await upload(url, encrypted)).headers.get('x-amz-server-side-encryption')).toBe('aws:kms');
  });

  it('is for its method only', async () => {
    const url = await presign({ method: 'GET' });

    expect((await upload(url)).status).toBe(403);
  });
});

describe('a presigned address', () => {
  it('lives a week at most', async () => {
    await s3.send(new PutObjectCommand({ ...place, Body }));

    const week = await fetch(await presign({ method: 'GET', expiresIn: 604_800 }));
    expect(await week.text()).toBe(Body);
    const url = await presign({ method: 'GET', expiresIn: 604_800 });
    const longer = await fetch(url.replace('X-Amz-Expires=604800', 'X-Amz-Expires=604801'));

    expect(longer.status).toBe(400);
    expect(await longer.text()).toContain('<Code>AuthorizationQueryParametersError<');
  });

  it('ends with the credentials that signed it', async () => {
    await s3.send(new PutObjectCommand({ ...place, Body }));
    const iam = new IAMClient(runtime.config);
    const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: statement });
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'reader',
        AssumeRolePolicyDocument: policy({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
      }),
    );
    const PolicyDocument = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'p', PolicyDocument }));
    const { Credentials: given } = await new STSClient(runtime.config).send(
      new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'test', DurationSeconds: 900 }),
    );
    const credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
    const url = await presign({ method: 'GET', expiresIn: 3600, credentials });

    expect(await (await fetch(url)).text()).toBe(Body);
    await runtime.advance(901);
    const late = await fetch(url);

    expect(await late.text()).toContain('<Code>ExpiredToken<');
  });
});

describe('a checksum', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

  it('that trails the body is checked and kept', async () => {
    const stream = () => Readable.from([Buffer.from(Body)]);
    const input = { ...place, Body: stream(), ContentLength: Body.length, ChecksumAlgorithm: 'SHA256' } as const;

    await s3.send(new PutObjectCommand(input));

    const head = await s3.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumSHA256).toBe(sha256(Body));
  });

  /** A body in chunks with this trailer, sent as a client sends it whose checksum is wrong, or forgotten. */
  async function trailing(announced: string, trailer: string): Promise<Response> {
    const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
    const { region, credentials } = runtime.config;
    const signer = new SignatureV4({ region, credentials, service: 's3', sha256: Sha256, uriEscapePath: false });
    const body = `${Body.length.toString(16)}\r\n${Body}\r\n0\r\n${trailer}\r\n`;
    const headers = {
      host,
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(Body.length),
      'x-amz-sdk-checksum-algorithm': 'CRC32',
      'x-amz-trailer': announced,
    };
    const path = `/${Bucket}/${place.Key}`;
    const request = new HttpRequest({ method: 'PUT', hostname, port: Number(port), path, headers });
    const signed = await signer.sign(request);
    return fetch(`${runtime.endpoints.awsEndpoint}${path}`, { method: 'PUT', headers: signed.headers, body });
  }

  it.each([
    ['is right', 'x-amz-checksum-crc32', `x-amz-checksum-crc32:${crc(Body)}\r\n`, 200, ''],
    ['is wrong', 'x-amz-checksum-crc32', `x-amz-checksum-crc32:${crc('straw')}\r\n`, 400, 'BadDigest'],
    ['was announced and is missing', 'x-amz-checksum-crc32', '', 400, 'MalformedTrailerError'],
    ['is missing altogether', '', '', 400, 'InvalidRequest'],
    [
      'is of another algorithm',
      'x-amz-checksum-sha256',
      `x-amz-checksum-sha256:${sha256(Body)}\r\n`,
      400,
      'InvalidRequest',
    ],
  ])('that %s is answered so', async (_what, announced, trailer, status, code) => {
    const answer = await trailing(announced, trailer);

    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(code);
    const stored = await s3.send(new HeadObjectCommand(place)).catch(({ name }: Error) => name);
    expect(stored === 'NotFound').toBe(status !== 200);
  });

  it('of a part is checked as well', async () => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'SHA256' }));
    const part = { ...place, UploadId, PartNumber: 1, Body };

    await expect(s3.send(new UploadPartCommand({ ...part, ChecksumSHA256: sha256('straw') }))).rejects.toMatchObject({
      name: 'BadDigest',
    });

    const { ChecksumSHA256 } = await s3.send(new UploadPartCommand({ ...part, ChecksumSHA256: sha256(Body) }));
    expect(ChecksumSHA256).toBe(sha256(Body));
  });
});
