import type { Tag } from '@aws-sdk/client-iot';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import { invalidRequest, limitExceeded } from './errors.ts';

/** "Maximum number of tags per resource", lengths and reserved prefix: tagging-iot.html#tagging-iot-restrictions. */
const MAX_TAGS = 50;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

interface KeptTags {
  readonly arn: string;
  readonly tags: Map<string, string>;
}

/** The tags of the resources of the control plane, by ARN. */
export class ResourceTags {
  readonly #tags = new Map<string, Map<string, string>>();

  of(arn: string): readonly { readonly Key: string; readonly Value: string }[] {
    return [...(this.#tags.get(arn) ?? [])].map(([Key, Value]) => ({ Key, Value }));
  }

  /** @throws AwsError InvalidRequestException, LimitExceededException */
  check(tags: readonly Tag[] | undefined): void {
    checked(tags);
  }

  /** Adds tags; a key that exists gets the new value. Throws InvalidRequestException, LimitExceededException. */
  add(arn: string, tags: readonly Tag[] | undefined): void {
    const added = checked(tags);
    if (added.length === 0) return;
    const all = new Map([...(this.#tags.get(arn) ?? []), ...added]);
    if (all.size > MAX_TAGS)
      throw limitExceeded(`a resource has at most ${MAX_TAGS} tags; ${arn} would have ${all.size}`);
    this.#tags.set(arn, all);
  }

  remove(arn: string, keys: readonly string[]): void {
    for (const key of keys) this.#tags.get(arn)?.delete(key);
  }

  *save(): Generator<KeptRecord> {
    for (const [arn, tags] of this.#tags) yield [`tags/${arn}`, { arn, tags } satisfies KeptTags];
  }

  restore(records: KeptRecords): void {
    for (const { arn, tags } of records.all<KeptTags>('tags/')) this.#tags.set(arn, tags);
  }

  /** The resource has gone. */
  forget(arn: string): void {
    this.#tags.delete(arn);
  }
}

function checked(tags: readonly Tag[] | undefined): readonly (readonly [key: string, value: string])[] {
  const pairs = (tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value] as const);
  for (const [key, value] of pairs) {
    if (key.length < 1 || key.length > MAX_KEY_LENGTH || value.length > MAX_VALUE_LENGTH) {
      throw invalidRequest(
        `the tag ${JSON.stringify(key)} needs a key of 1 to ${MAX_KEY_LENGTH} and a value of at most ${MAX_VALUE_LENGTH} characters`,
      );
    }
    if (/^aws:/i.test(key)) throw invalidRequest(`the tag ${key} begins with aws:, which is reserved`);
  }
  if (new Map(pairs).size < pairs.length) throw invalidRequest('each tag key can be given once');
  if (pairs.length > MAX_TAGS) throw limitExceeded(`a resource has at most ${MAX_TAGS} tags`);
  return pairs;
}
