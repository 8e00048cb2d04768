import type {
  ListObjectsV2CommandInput,
  ListObjectsV2CommandOutput,
  ListObjectVersionsCommandInput,
  ListObjectVersionsCommandOutput,
  ObjectStorageClass,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import type { Buckets } from '../buckets.ts';
import type { Version } from '../object-store.ts';

const MAX_KEYS = 1000;

function checkMaxKeys(given: number | undefined): number {
  const maxKeys = given ?? MAX_KEYS;
  if (Number.isInteger(maxKeys) && maxKeys >= 0) return Math.min(maxKeys, MAX_KEYS);
  throw new AwsError('InvalidArgument', 'Argument maxKeys must be an integer between 0 and 2147483647');
}

/** The common prefix under which a key is listed, up to and with the delimiter; undefined when it stands for itself. */
function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (!delimiter) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** Whether a key comes after another in listing order. */
function isAfter(key: string, marker: string): boolean {
  return Buffer.compare(Buffer.from(key, 'utf8'), Buffer.from(marker, 'utf8')) > 0;
}

function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType !== 'url') return (text) => text;
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/');
}

interface Listed<Entry> {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  /** The last key or prefix of the page when there is more. */
  readonly next: string | undefined;
}

/** One page of the objects that are not deleted. */
function listKeys(
  { objects }: Bucket,
  { prefix, delimiter, after, limit }: { prefix: string; delimiter: string | undefined; after: string; limit: number },
): Listed<Version> {
  const entries: Version[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const key of objects.keys) {
    const version = objects.find(key);
    if (version?.content === undefined || !key.startsWith(prefix)) continue;
    const group = commonPrefix(key, prefix, delimiter);
    const name = group ?? key;
    if (name === last || (after !== '' && (!isAfter(key, after) || (group !== undefined && group === after)))) continue;
    if (entries.length + prefixes.length === limit) return { entries, prefixes, next: limit === 0 ? undefined : last };
    if (group === undefined) entries.push(version);
    else prefixes.push(group);
    last = name;
  }
  return { entries, prefixes, next: undefined };
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text.startsWith('after:')) return text.slice('after:'.length);
  throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
}

/** ListObjectsV2: keys under a prefix, grouped by a delimiter, 1 000 per page. */
export function listObjectsV2(buckets: Buckets): AnyOperation {
  return operation<ListObjectsV2CommandInput, Omit<ListObjectsV2CommandOutput, '$metadata'>>({
    permissions: ({ Bucket, Prefix = '', Delimiter = '', MaxKeys }) => [
      buckets.permission('ListBucket', Bucket, undefined, {
        's3:prefix': Prefix,
        's3:delimiter': Delimiter,
        's3:max-keys': String(MaxKeys ?? MAX_KEYS),
      }),
    ],
    run(input) {
      const bucket = buckets.get(input.Bucket);
      const { Prefix: prefix = '', Delimiter: delimiter, ContinuationToken, StartAfter, EncodingType } = input;
      const limit = checkMaxKeys(input.MaxKeys);
      const after = ContinuationToken === undefined ? (StartAfter ?? '') : decodeToken(ContinuationToken);
      const { entries, prefixes, next } = listKeys(bucket, { prefix, delimiter, after, limit });
      const encode = encoder(EncodingType);
      return {
        Name: bucket.name,
        Prefix: encode(prefix),
        ...(delimiter !== undefined && { Delimiter: encode(delimiter) }),
        MaxKeys: limit,
        KeyCount: entries.length + prefixes.length,
        IsTruncated: next !== undefined,
        ...(EncodingType !== undefined && { EncodingType }),
        ...(ContinuationToken !== undefined && { ContinuationToken }),
        ...(StartAfter !== undefined && { StartAfter: encode(StartAfter) }),
        ...(next !== undefined && { NextContinuationToken: Buffer.from(`after:${next}`).toString('base64') }),
        Contents: entries.map((version) => ({
          Key: encode(version.key),
          LastModified: new Date(version.lastModified),
          ETag: version.content?.etag,
          Size: version.content?.body.length,
          StorageClass: version.content?.storageClass as ObjectStorageClass,
        })),
        CommonPrefixes: prefixes.map((each) => ({ Prefix: encode(each) })),
      };
    },
  });
}

/** ListObjectVersions: every version and delete marker under a prefix, newest first per key. */
export function listObjectVersions(buckets: Buckets): AnyOperation {
  return operation<ListObjectVersionsCommandInput, Omit<ListObjectVersionsCommandOutput, '$metadata'>>({
    permissions: ({ Bucket }) => [buckets.permission('ListBucketVersions', Bucket)],
    run(input) {
      const { objects, name } = buckets.get(input.Bucket);
      const { Prefix: prefix = '', Delimiter: delimiter, KeyMarker = '', VersionIdMarker } = input;
      const limit = checkMaxKeys(input.MaxKeys);
      const encode = encoder(input.EncodingType);
      const page: { version: Version; isLatest: boolean }[] = [];
      const prefixes = new Set<string>();
      let more = false;
      /** Where the next page starts: after this version, or after all keys of this common prefix. */
      let last: { readonly key: string; readonly id?: string } | undefined;
      for (const key of objects.keys) {
        if (!key.startsWith(prefix)) continue;
        const group = commonPrefix(key, prefix, delimiter);
        const onMarker = key === KeyMarker && VersionIdMarker !== undefined;
        if (KeyMarker !== '' && !onMarker && (!isAfter(key, KeyMarker) || group === KeyMarker)) continue;
        if (group !== undefined) {
          if (!prefixes.has(group) && page.length + prefixes.size === limit) more = true;
          if (more) break;
          prefixes.add(group);
          last = { key: group };
          continue;
        }
        const versions = objects.versions(key);
        const start = onMarker ? versions.findIndex(({ id }) => id === VersionIdMarker) + 1 : 0;
        for (const [index, version] of versions.entries()) {
          if (index < start) continue;
          if (page.length + prefixes.size === limit) more = true;
          if (more) break;
          page.push({ version, isLatest: index === 0 });
          last = version;
        }
        if (more) break;
      }
      const common = ({ version, isLatest }: (typeof page)[number]) => ({
        Key: encode(version.key),
        VersionId: version.id,
        IsLatest: isLatest,
        LastModified: new Date(version.lastModified),
      });
      return {
        Name: name,
        Prefix: encode(prefix),
        ...(delimiter !== undefined && { Delimiter: encode(delimiter) }),
        KeyMarker: encode(KeyMarker),
        ...(VersionIdMarker !== undefined && { VersionIdMarker }),
        MaxKeys: limit,
        ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
        IsTruncated: more,
        ...(more &&
          last !== undefined && {
            NextKeyMarker: encode(last.key),
            ...(last.id !== undefined && { NextVersionIdMarker: last.id }),
          }),
        Versions: page
          .filter(({ version }) => version.content !== undefined)
          .map((each) => ({
            ...common(each),
            ETag: each.version.content?.etag,
            Size: each.version.content?.body.length,
            StorageClass: each.version.content?.storageClass as 'STANDARD',
          })),
        DeleteMarkers: page.filter(({ version }) => version.content === undefined).map(common),
        CommonPrefixes: [...prefixes].map((each) => ({ Prefix: encode(each) })),
      };
    },
  });
}
