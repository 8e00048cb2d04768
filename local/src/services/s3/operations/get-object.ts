import type { GetObjectCommandInput, GetObjectCommandOutput, HeadObjectCommandInput } from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError, notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation, CallContext } from '../../../kernel/service.ts';
import type { Buckets, FoundObject } from '../buckets.ts';
import { checksumMember, checksumOf } from '../checksums.ts';
import { checkReadConditions } from '../conditions.ts';
import { authorizeDecryption, encryptionMembers } from '../encryption.ts';

type Described = Omit<GetObjectCommandOutput, '$metadata' | 'Body' | 'Expires'> & { readonly Expires?: string };

/** The answer of GetObject inside the process: the body is a buffer. */
export type ReadOutput = Described & { readonly Body: Buffer };

interface Range {
  readonly from: number;
  /** The last byte that belongs to it. */
  readonly to: number;
}

/**
 * The bytes that a Range header asks for; undefined for the whole object. Several ranges and other units are ignored,
 * as S3 does.
 *
 * @throws AwsError InvalidRange (416)
 */
function parseRange(header: string | undefined, size: number): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || match[0] === 'bytes=-') return undefined;
  const [, first = '', last = ''] = match;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  if (from < size && !(first === '' && Number(last) === 0)) return { from, to };
  throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, {
    RangeRequested: header,
    ActualObjectSize: size,
  });
}

function checksumMembers({ content }: FoundObject): Described {
  const algorithm = content.checksum?.algorithm ?? 'CRC64NVME';
  const value = content.checksum?.value ?? checksumOf(algorithm, content.body);
  return {
    [checksumMember(algorithm)]: value,
    ChecksumType: content.checksum?.isComposite ? 'COMPOSITE' : 'FULL_OBJECT',
  };
}

function describe(found: FoundObject, versioned: boolean, withChecksum: boolean): Described {
  const { version, content } = found;
  const { Expires, ...headers } = content.headers;
  return {
    AcceptRanges: 'bytes',
    LastModified: new Date(version.lastModified),
    ETag: content.etag,
    ...headers,
    ...(Expires !== undefined && { Expires }),
    Metadata: { ...content.metadata },
    ...encryptionMembers(content.encryption),
    ...(content.storageClass !== 'STANDARD' && { StorageClass: content.storageClass as 'STANDARD_IA' }),
    ...(content.tags.size > 0 && { TagCount: content.tags.size }),
    ...(versioned && { VersionId: version.id }),
    ...(withChecksum && checksumMembers(found)),
  };
}

function overrides(input: GetObjectCommandInput): Described {
  return {
    ...(input.ResponseContentType !== undefined && { ContentType: input.ResponseContentType }),
    ...(input.ResponseContentDisposition !== undefined && { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding !== undefined && { ContentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage !== undefined && { ContentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseCacheControl !== undefined && { CacheControl: input.ResponseCacheControl }),
  };
}

function find(
  buckets: Buckets,
  name: 'GetObject' | 'HeadObject',
  input: GetObjectCommandInput | HeadObjectCommandInput,
  context: CallContext,
): { readonly found: FoundObject; readonly range: Range | undefined; readonly described: Described } {
  if (input.PartNumber !== undefined) throw notEmulated('s3', `${name} with partNumber`);
  const found = buckets.object(input.Bucket, input.Key, input.VersionId, context);
  checkReadConditions(input, found);
  const range = parseRange(input.Range, found.content.body.length);
  const versioned = buckets.get(input.Bucket).settings.versioning !== undefined;
  // A checksum of the whole object does not fit a part of it.
  const withChecksum = input.ChecksumMode === 'ENABLED' && range === undefined;
  return { found, range, described: { ...describe(found, versioned, withChecksum), ...overrides(input) } };
}

function sizes(range: Range | undefined, size: number): Described {
  if (range === undefined) return { ContentLength: size };
  return { ContentLength: range.to - range.from + 1, ContentRange: `bytes ${range.from}-${range.to}/${size}` };
}

function readPermission(buckets: Buckets, { Bucket, Key, VersionId }: GetObjectCommandInput) {
  return [buckets.permission(VersionId === undefined ? 'GetObject' : 'GetObjectVersion', Bucket, Key ?? '')];
}

/** GetObject: the object or a range of it, under conditions. */
export function getObject(buckets: Buckets): AnyOperation {
  return operation<GetObjectCommandInput, ReadOutput>({
    permissions: (input) => readPermission(buckets, input),
    async run(input, context) {
      const { found, range, described } = find(buckets, 'GetObject', input, context);
      const { body, encryption } = found.content;
      await authorizeDecryption(buckets, buckets.get(input.Bucket), found.version.key, encryption, context);
      const Body = range === undefined ? body : body.subarray(range.from, range.to + 1);
      return { ...described, ...sizes(range, body.length), Body };
    },
  });
}

/** HeadObject: what GetObject would answer, without the body. */
export function headObject(buckets: Buckets): AnyOperation {
  return operation<HeadObjectCommandInput, Described>({
    permissions: (input) => readPermission(buckets, input),
    run(input, context) {
      const { found, range, described } = find(buckets, 'HeadObject', input, context);
      return { ...described, ...sizes(range, found.content.body.length) };
    },
  });
}
