/** Conditional requests: by entity tag and by time (RFC 9110, section 13, as S3 applies it). */
import { AwsError } from '../../kernel/errors.ts';
import type { FoundObject } from './buckets.ts';
import type { Version } from './object-store.ts';

export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

function unquoted(etag: string): string {
  return etag.trim().replace(/^W\//, '').replaceAll('"', '');
}

function matchesEtag(condition: string, etag: string): boolean {
  return condition.trim() === '*' || condition.split(',').some((each) => unquoted(each) === unquoted(etag));
}

/** HTTP dates have whole seconds. */
function seconds(time: number): number {
  return Math.floor(time / 1000);
}

function failed(condition: string): AwsError {
  return new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  });
}

/** @throws AwsError PreconditionFailed (412) or NotModified (304) */
export function checkReadConditions(conditions: ReadConditions, { version, content }: FoundObject): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = seconds(version.lastModified);
  if (IfMatch !== undefined) {
    if (!matchesEtag(IfMatch, content.etag)) throw failed('If-Match');
  } else if (IfUnmodifiedSince !== undefined && modified > seconds(IfUnmodifiedSince.getTime())) {
    throw failed('If-Unmodified-Since');
  }
  const notModified =
    IfNoneMatch === undefined
      ? IfModifiedSince !== undefined && modified <= seconds(IfModifiedSince.getTime())
      : matchesEtag(IfNoneMatch, content.etag);
  if (notModified) throw new AwsError('NotModified', 'Not Modified', 304, { ETag: content.etag });
}

/**
 * Conditions of a write, checked against the newest version.
 *
 * @throws AwsError PreconditionFailed (412), NoSuchKey (404) for If-Match on nothing, NotImplemented for an If-None-Match
 *   other than `*`
 */
export function checkWriteConditions(
  { IfMatch, IfNoneMatch }: Pick<ReadConditions, 'IfMatch' | 'IfNoneMatch'>,
  newest: Version | undefined,
): void {
  const content = newest?.content;
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') {
      throw new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
        Header: 'If-None-Match',
      });
    }
    if (content !== undefined) throw failed('If-None-Match');
  }
  if (IfMatch !== undefined) {
    if (content === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    if (!matchesEtag(IfMatch, content.etag)) throw failed('If-Match');
  }
}
