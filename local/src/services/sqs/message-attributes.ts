/** Message attributes and the digests that clients verify. */
import { createHash } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { invalidParameter } from './errors.ts';

export type MessageAttributes = Readonly<Record<string, MessageAttributeValue>>;

const TRANSPORT = { String: 1, Number: 1, Binary: 2 } as const;

export function md5(data: string | Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

/** The logical type without its label: `String.uuid` is a String. */
function baseType(name: string, { DataType }: MessageAttributeValue): keyof typeof TRANSPORT {
  const base = DataType?.split('.')[0];
  if (base === 'String' || base === 'Number' || base === 'Binary') return base;
  throw invalidParameter(
    `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
  );
}

/**
 * Checks the attributes of one message and gives their size in bytes, which counts as part of the message.
 *
 * @throws AwsError InvalidParameterValue
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
export function sizeOfAttributes(attributes: MessageAttributes): number {
  const names = Object.keys(attributes);
  if (names.length > 10) {
    throw invalidParameter(`Number of message attributes [${names.length}] exceeds the allowed maximum [10].`);
  }
  let size = 0;
  for (const [name, value] of Object.entries(attributes)) {
    if (!/^(?!aws\.|amazon\.)[\w-][\w.-]{0,255}$/i.test(name) || name.endsWith('.') || name.includes('..')) {
      throw invalidParameter(`Message attribute name '${name}' is invalid.`);
    }
    const content = contentOf(name, value);
    if (content.length === 0) {
      throw invalidParameter(`Message (user) attribute '${name}' must contain a non-empty value of its type.`);
    }
    size += Buffer.byteLength(name) + Buffer.byteLength(value.DataType ?? '') + content.length;
  }
  return size;
}

function contentOf(name: string, value: MessageAttributeValue): Buffer {
  if (baseType(name, value) === 'Binary') return Buffer.from(value.BinaryValue ?? []);
  if (value.DataType?.startsWith('Number') && !Number.isFinite(Number(value.StringValue || 'none'))) {
    throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
  return Buffer.from(value.StringValue ?? '');
}

/**
 * The digest over the attributes as SQS defines it: sorted by name; lengths as four bytes, big-endian.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
 */
export function md5OfAttributes(attributes: MessageAttributes): string {
  const hash = createHash('md5');
  const withLength = (data: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    hash.update(length).update(data);
  };
  for (const name of Object.keys(attributes).toSorted()) {
    const value = attributes[name] ?? { DataType: 'String' };
    withLength(Buffer.from(name));
    withLength(Buffer.from(value.DataType ?? ''));
    hash.update(Buffer.of(TRANSPORT[baseType(name, value)]));
    withLength(contentOf(name, value));
  }
  return hash.digest('hex');
}

/** Those attributes that a receiver asked for: names, `All`, `.*`, or a prefix `foo.*`. Undefined when none. */
export function selectAttributes(
  attributes: MessageAttributes | undefined,
  wanted: readonly string[] | undefined,
): MessageAttributes | undefined {
  if (!attributes || !wanted || wanted.length === 0) return undefined;
  if (wanted.includes('All') || wanted.includes('.*')) return attributes;
  const prefixes = wanted.filter((each) => each.endsWith('.*')).map((each) => each.slice(0, -1));
  const selected = Object.entries(attributes).filter(
    ([name]) => wanted.includes(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  );
  return selected.length > 0 ? Object.fromEntries(selected) : undefined;
}
