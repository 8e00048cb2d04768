/** Cross-origin requests to S3: what a browser asks before it fetches or puts an object, and what it is told with the answer. */
import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const Bucket = 'barn';
const place = { Bucket, Key: 'a' };
const PAGE = 'https://app.example.com';
const RULES = [
  {
    AllowedOrigins: [PAGE, 'http://localhost:*'],
    AllowedMethods: ['GET', 'PUT'],
    AllowedHeaders: ['range', 'x-amz-*'],
    ExposeHeaders: ['etag', 'content-range'],
    MaxAgeSeconds: 600,
  },
  { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] },
];

let runtime: Runtime;
let s3: S3Client;

beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: RULES } }));
  await s3.send(new PutObjectCommand({ ...place, Body: 'hay' }));
});
afterEach(() => s3.destroy());

const reading = (): Promise<string> => getSignedUrl(s3, new GetObjectCommand(place));

async function preflight(asked: Readonly<Record<string, string>>, url?: string) {
  const answer = await fetch(url ?? (await reading()), { method: 'OPTIONS', headers: asked });
  return { status: answer.status, headers: cors(answer), text: await answer.text() };
}

function cors({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));
}

const allowed = {
  'access-control-allow-origin': PAGE,
  'access-control-allow-methods': 'GET, PUT',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'etag, content-range',
  'access-control-max-age': '600',
  vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
};

describe('a preflight', () => {
  const asked = { origin: PAGE, 'access-control-request-method': 'PUT' };

  it('of a presigned address is allowed without a signature, with the headers that were asked for', async () => {
    const headers = { ...asked, 'access-control-request-headers': 'X-Amz-Checksum-Sha256,range' };

    expect(await preflight(headers)).toEqual({
      status: 200,
      headers: { ...allowed, 'access-control-allow-headers': 'x-amz-checksum-sha256, range' },
      text: '',
    });
  });

  it('may come from an origin that a pattern covers, and from anywhere where a rule says so', async () => {
    const local = await preflight({ ...asked, origin: 'http://localhost:8080' });
    expect(local.headers['access-control-allow-origin']).toBe('http://localhost:8080');

    const anywhere = await preflight({ origin: 'https://elsewhere.example', 'access-control-request-method': 'HEAD' });
    expect(anywhere.headers).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'HEAD',
      vary: allowed.vary,
    });
  });

  it.each([
    ['another origin', { origin: 'https://app.example.com.evil.example' }],
    ['another method', { 'access-control-request-method': 'DELETE' }],
    ['another header', { 'access-control-request-headers': 'range,authorization' }],
  ])('is refused for %s', async (_what, other) => {
    const { status, headers, text } = await preflight({ ...asked, ...other });

    expect([status, headers]).toEqual([403, {}]);
    expect(text).toMatch(/<Code>AccessForbidden<.*This CORS request is not allowed/s);
  });

  it('is refused by a bucket without rules, and without an origin', async () => {
    expect((await preflight({ 'access-control-request-method': 'PUT' })).status).toBe(400);

    await s3.send(new DeleteBucketCorsCommand({ Bucket }));

    const { status, text } = await preflight(asked);
    expect(status).toBe(403);
    expect(text).toContain('CORS is not enabled for this bucket');
  });
});

describe('what a page asks for', () => {
  it('is answered with the headers that let it read the answer, also one that refuses', async () => {
    const good = await fetch(await reading(), { headers: { origin: PAGE, range: 'bytes=0-1' } });
    expect([good.status, await good.text(), cors(good)]).toEqual([206, 'ha', allowed]);

    const bad = await fetch((await reading()).replace(/X-Amz-Signature=./, 'X-Amz-Signature=x'), {
      headers: { origin: PAGE },
    });
    expect([bad.status, cors(bad)]).toEqual([403, allowed]);
  });

  it('is answered as to anybody else when no rule allows it: whether it may read that, the browser decides', async () => {
    const other = await fetch(await reading(), { headers: { origin: 'https://elsewhere.example' } });
    expect([other.status, cors(other)]).toEqual([200, {}]);
    expect(cors(await fetch(await reading()))).toEqual({});
  });

  it('may be a part of an upload, whose tag it reads', async () => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'SHA256' }));
    const checksum = createHash('sha256').update('hay').digest('base64');
    const part = { ...place, UploadId, PartNumber: 1, ContentLength: 3, ChecksumSHA256: checksum };
    const url = await getSignedUrl(s3, new UploadPartCommand(part), {
      unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
    });

    const headers = { origin: PAGE, 'x-amz-checksum-sha256': checksum };
    const put = await fetch(url, { method: 'PUT', body: 'hay', headers });

    expect([put.status, cors(put)]).toEqual([200, allowed]);
    expect(put.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
  });
});

describe('the configuration', () => {
  it('is read back as it was put, until it is deleted', async () => {
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(RULES);

    await s3.send(new DeleteBucketCorsCommand({ Bucket }));

    await expect(s3.send(new GetBucketCorsCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
    });
  });

  it.each([
    ['no rule', [], 'MalformedXML'],
    ['a rule without an origin', [{ AllowedMethods: ['GET'], AllowedOrigins: [] }], 'MalformedXML'],
    ['a method that there is not', [{ AllowedMethods: ['PATCH'], AllowedOrigins: ['*'] }], 'InvalidRequest'],
    ['two wildcards', [{ AllowedMethods: ['GET'], AllowedOrigins: ['http://*.*'] }], 'InvalidRequest'],
  ])('with %s is refused', async (_what, CORSRules, name) => {
    await expect(s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }))).rejects.toMatchObject(
      { name },
    );
  });
});
