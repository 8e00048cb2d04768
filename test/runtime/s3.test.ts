/** S3 through the SDK: objects, conditions, checksums, versions, listings. */
import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const Bucket = 'archive';
let runtime: Runtime;
let client: S3Client;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new S3Client(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(async () => {
  await runtime.reset();
  await client.send(new CreateBucketCommand({ Bucket }));
});

function put(Key: string, Body = 'body', more: Partial<PutObjectCommandInput> = {}) {
  return client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
}

async function get(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string | undefined> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Body?.transformToString();
}

async function failure(request: Promise<unknown>): Promise<[name: string, status: number | undefined]> {
  const error = (await request.catch((each: unknown) => each)) as {
    readonly name: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return [error.name, error.$metadata?.httpStatusCode];
}

describe('a bucket', () => {
  it('is listed, found, and deleted only when it is empty', async () => {
    await put('a');

    expect((await client.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);
    expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
    expect(await failure(client.send(new DeleteBucketCommand({ Bucket })))).toEqual(['BucketNotEmpty', 409]);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await client.send(new DeleteBucketCommand({ Bucket }));
    expect(await failure(get('a'))).toEqual(['NoSuchBucket', 404]);
  });

  it('needs a valid name', async () => {
    expect(await failure(client.send(new CreateBucketCommand({ Bucket: 'No_Bucket' })))).toEqual([
      'InvalidBucketName',
      400,
    ]);
  });
});

describe('an object', () => {
  it('comes back with its headers, metadata and entity tag', async () => {
    // GIVEN
    const Key = 'path with space/ü+&?.json';
    await put(Key, '{"a":1}', {
      ContentType: 'application/json',
      CacheControl: 'no-store',
      ContentEncoding: 'identity',
      Metadata: { thing: 'sensor-1' },
    });

    // WHEN
    const { Body, ...answer } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));

    // THEN
    expect(await Body?.transformToString()).toBe('{"a":1}');
    for (const each of [answer, head]) {
      expect(each).toMatchObject({
        ContentType: 'application/json',
        CacheControl: 'no-store',
        ContentEncoding: 'identity',
        ContentLength: 7,
        ETag: `"${createHash('md5').update('{"a":1}').digest('hex')}"`,
        Metadata: { thing: 'sensor-1' },
        ServerSideEncryption: 'AES256',
        LastModified: expect.any(Date),
      });
    }
  });

  it('that is not there is a 404', async () => {
    expect(await failure(get('none'))).toEqual(['NoSuchKey', 404]);
    expect(await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toEqual(['NotFound', 404]);
  });

  it('is read in parts', async () => {
    await put('digits', '0123456789');

    expect(await get('digits', { Range: 'bytes=2-4' })).toBe('234');
    expect(await get('digits', { Range: 'bytes=-3' })).toBe('789');
    expect(await get('digits', { Range: 'bytes=8-100' })).toBe('89');
    const { ContentRange } = await client.send(new GetObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=0-0' }));
    expect(ContentRange).toBe('bytes 0-0/10');
    expect(await failure(get('digits', { Range: 'bytes=10-' }))).toEqual(['InvalidRange', 416]);
  });

  it('keeps its tags apart from its body', async () => {
    const before = await put('a', 'body', { Tagging: 'stage=test&x=' });
    expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'a' }))).TagSet).toEqual([
      { Key: 'stage', Value: 'test' },
      { Key: 'x', Value: '' },
    ]);

    const Tagging = { TagSet: [{ Key: 'only', Value: 'one & <two>' }] };
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging }));

    expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'a' }))).TagSet).toEqual(Tagging.TagSet);
    expect(await get('a')).toBe('body');
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).ETag).toBe(before.ETag);
  });

  it('is copied with its metadata, or with new ones', async () => {
    await put('from ü', 'body', { Metadata: { a: '1' }, ContentType: 'text/plain' });
    const CopySource = `${Bucket}/${encodeURIComponent('from ü')}`;

    await client.send(new CopyObjectCommand({ Bucket, Key: 'same', CopySource }));
    await client.send(
      new CopyObjectCommand({ Bucket, Key: 'new', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }),
    );

    const same = await client.send(new HeadObjectCommand({ Bucket, Key: 'same' }));
    const fresh = await client.send(new HeadObjectCommand({ Bucket, Key: 'new' }));
    expect([same.Metadata, same.ContentType]).toEqual([{ a: '1' }, 'text/plain']);
    expect(fresh.Metadata).toEqual({ b: '2' });
    expect(await get('new')).toBe('body');
  });
});

describe('conditions', () => {
  it('stop a write over an object that exists, or that has changed', async () => {
    const { ETag } = await put('a', '1');

    expect(await failure(put('a', '2', { IfNoneMatch: '*' }))).toEqual(['PreconditionFailed', 412]);
    await put('a', '2', { IfMatch: ETag });
    expect(await failure(put('a', '3', { IfMatch: ETag }))).toEqual(['PreconditionFailed', 412]);
    expect(await get('a')).toBe('2');
  });

  it('let exactly one of many writers at the same time create an object', async () => {
    const writes = Array.from({ length: 10 }, (_, index) => put('a', String(index), { IfNoneMatch: '*' }));

    const outcomes = await Promise.allSettled(writes);

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('answer a reader that knows the object already', async () => {
    const { ETag } = await put('a');

    expect((await failure(get('a', { IfNoneMatch: ETag })))[1]).toBe(304);
    expect((await failure(get('a', { IfModifiedSince: new Date(Date.now() + 60_000) })))[1]).toBe(304);
    expect((await failure(get('a', { IfMatch: '"other"' })))[1]).toBe(412);
    expect(await get('a', { IfMatch: ETag })).toBe('body');
  });
});

describe('checksums', () => {
  // The digests of "123456789", which the catalogues of checksums publish.
  const known = {
    CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
    CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
    CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
    SHA1: createHash('sha1').update('123456789').digest('base64'),
    SHA256: createHash('sha256').update('123456789').digest('base64'),
  } as const;

  it.each(Object.entries(known))('%s is verified, kept and given back', async (algorithm, value) => {
    await put('a', '123456789', { [`Checksum${algorithm}`]: value });
    const wrong = Buffer.from(value, 'base64');
    wrong.writeUInt8((wrong.at(0) ?? 0) ^ 1);

    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a', ChecksumMode: 'ENABLED' }));

    expect(head).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' });
    expect(await failure(put('b', '123456789', { [`Checksum${algorithm}`]: wrong.toString('base64') }))).toEqual([
      'BadDigest',
      400,
    ]);
    expect(await failure(get('b'))).toEqual(['NoSuchKey', 404]);
  });

  it('of a wrong Content-MD5 stop the write', async () => {
    const ContentMD5 = createHash('md5').update('other').digest('base64');

    expect(await failure(put('a', 'body', { ContentMD5 }))).toEqual(['BadDigest', 400]);
    expect(await failure(put('a', 'body', { ContentMD5: 'short' }))).toEqual(['InvalidDigest', 400]);
  });
});

describe('versions', () => {
  beforeEach(async () => {
    await put('a', 'before');
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  });

  it('are all kept, also under a delete marker', async () => {
    // GIVEN
    const first = await put('a', '1');
    const second = await put('a', '2');

    // WHEN
    const { DeleteMarker, VersionId: marker } = await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));

    // THEN
    expect(DeleteMarker).toBe(true);
    expect(await failure(get('a'))).toEqual(['NoSuchKey', 404]);
    expect(await get('a', { VersionId: first.VersionId })).toBe('1');
    expect(await get('a', { VersionId: 'null' })).toBe('before');
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [second.VersionId, false],
      [first.VersionId, false],
      ['null', false],
    ]);
    expect(DeleteMarkers).toMatchObject([{ VersionId: marker, IsLatest: true }]);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: marker }));
    expect(await get('a')).toBe('2');
  });

  it('are listed in pages', async () => {
    for (const body of ['1', '2', '3']) await put('a', body);
    await put('b');

    const found: (string | undefined)[] = [];
    let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
    while (next !== undefined) {
      const page: ListObjectVersionsCommandOutput = await client.send(
        new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...next }),
      );
      found.push(...(page.Versions ?? []).map(({ Key, VersionId }) => `${Key} ${VersionId}`));
      next = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
    }

    expect(found).toHaveLength(5);
    expect(new Set(found).size).toBe(5);
  });
});

describe('listings', () => {
  const keys = ['a/1', 'a/2', 'a/deep/3', 'b', 'ä', 'z & <z>'];

  beforeEach(async () => {
    for (const key of keys) await put(key, key);
  });

  it('group keys by a delimiter', async () => {
    const root = await client.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }));
    const below = await client.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', Prefix: 'a/' }));

    expect(root.Contents?.map(({ Key }) => Key)).toEqual(['b', 'z & <z>', 'ä']);
    expect(root.CommonPrefixes).toEqual([{ Prefix: 'a/' }]);
    expect(below.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['a/1', 3],
      ['a/2', 3],
    ]);
    expect(below.CommonPrefixes).toEqual([{ Prefix: 'a/deep/' }]);
  });

  it('come in pages without losing or repeating a key', async () => {
    const pages: number[] = [];
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, ContinuationToken }));
      pages.push(page.KeyCount ?? 0);
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);

    expect(found).toEqual(['a/1', 'a/2', 'a/deep/3', 'b', 'z & <z>', 'ä']);
    expect(pages).toEqual([2, 2, 2]);
  });

  it('tell what was deleted in a batch', async () => {
    const Objects = ['a/1', 'none', 'z & <z>'].map((Key) => ({ Key }));

    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));

    expect(Deleted).toEqual(Objects);
    expect(Errors).toBeUndefined();
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(4);
  });
});

describe('what is not emulated', () => {
  it('is refused by name', async () => {
    await expect(client.send(new RestoreObjectCommand({ Bucket, Key: 'a' }))).rejects.toThrow(
      'does not emulate s3:RestoreObject',
    );
    expect(await failure(put('a', 'x', { WebsiteRedirectLocation: '/b' }))).toEqual(['NotImplemented', 501]);
    expect(await failure(put('a', 'x', { ACL: 'public-read' }))).toEqual(['AccessControlListNotSupported', 400]);
  });
});
