import type { Tag } from '@aws-sdk/client-s3';
import { AwsError } from '../../kernel/errors.ts';

const MAX_TAGS = 10;

/** @throws AwsError BadRequest beyond ten tags, InvalidTag for keys beyond 128 and values beyond 256 characters */
export function checkTags(tags: readonly Tag[]): ReadonlyMap<string, string> {
  if (tags.length > MAX_TAGS) throw new AwsError('BadRequest', 'Object tags cannot be greater than 10');
  const result = new Map<string, string>();
  for (const { Key = '', Value = '' } of tags) {
    if (Key === '' || Key.length > 128) throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid');
    if (Value.length > 256) throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid');
    if (result.has(Key)) throw new AwsError('InvalidTag', 'Cannot provide multiple Tags with the same key');
    result.set(Key, Value);
  }
  return result;
}

/** The tags of an `x-amz-tagging` header, which has the form of a query string. */
export function parseTagging(header: string | undefined): ReadonlyMap<string, string> {
  return checkTags(Array.from(new URLSearchParams(header ?? ''), ([Key, Value]) => ({ Key, Value })));
}
