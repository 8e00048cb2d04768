import { randomUUID } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { AwsError } from '../../kernel/errors.ts';
import { invalidParameter } from './errors.ts';

/** https://docs.aws.amazon.com/general/latest/gr/sns.html; the attributes count as well. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

export type MessageAttributes = Readonly<Record<string, MessageAttributeValue>>;

export interface PublishedMessage {
  readonly id: string;
  readonly subject: string | undefined;
  readonly attributes: MessageAttributes | undefined;
  readonly bytes: number;
  /** The text for one protocol: `sqs`, `email`, `GCM`. */
  text(protocol: string): string;
}

interface MessageInput {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Record<string, MessageAttributeValue> | undefined;
  readonly MessageGroupId?: string | undefined;
  readonly MessageDeduplicationId?: string | undefined;
}

const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.$)(?!.*\.\.)[\w.-]{1,256}$/;

/** Checks what is published. Throws InvalidParameter, InvalidParameterValue, or NotEmulated for what belongs to FIFO topics. */
export function prepareMessage(input: MessageInput): PublishedMessage {
  const { Message, Subject, MessageStructure } = input;
  if (!Message) throw invalidParameter('Empty message');
  if (input.MessageGroupId !== undefined || input.MessageDeduplicationId !== undefined) throw fifoNotEmulated();
  if (Subject !== undefined && !/^[\x20-\x7e]{1,100}$/.test(Subject)) {
    throw invalidParameter('Subject must be 1 to 100 ASCII characters without line breaks');
  }
  if (MessageStructure !== undefined && MessageStructure !== '' && MessageStructure !== 'json') {
    throw invalidParameter(`MessageStructure is ${MessageStructure}; the only structure is json`);
  }
  const attributes = input.MessageAttributes ?? {};
  for (const [name, value] of Object.entries(attributes)) checkAttribute(name, value);
  const bytes = Buffer.byteLength(Message) + sizeOf(attributes);
  if (bytes > MAX_MESSAGE_BYTES) throw invalidParameter('Message too long');
  const byProtocol = MessageStructure === 'json' ? readStructure(Message) : undefined;
  return {
    id: randomUUID(),
    subject: Subject,
    attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
    bytes,
    text: (protocol) => (byProtocol ? String(byProtocol[protocol] ?? byProtocol.default) : Message),
  };
}

export function fifoNotEmulated(): AwsError {
  return new AwsError('NotEmulated', 'The local runtime does not emulate FIFO topics.', 501);
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html */
function checkAttribute(name: string, { DataType, StringValue, BinaryValue }: MessageAttributeValue): void {
  const wrong = (what: string) => new AwsError('ParameterValueInvalid', `The message attribute '${name}' ${what}.`);
  if (!ATTRIBUTE_NAME.test(name)) throw wrong('has a name that is not 1 to 256 letters, digits, _, - and .');
  if (!DataType) throw wrong('must contain a non-empty message attribute type');
  const [base = ''] = DataType.split('.');
  if (base !== 'String' && base !== 'Number' && base !== 'Binary') {
    throw wrong(
      `has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String`,
    );
  }
  if (base === 'Binary') {
    if (!BinaryValue?.length) throw wrong('must contain a non-empty binary value');
    return;
  }
  if (!StringValue) throw wrong('must contain a non-empty string value');
  if (base === 'Number' && !Number.isFinite(Number(StringValue))) throw wrong('has a value that is no number');
}

function sizeOf(attributes: MessageAttributes): number {
  let bytes = 0;
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name + (DataType ?? '') + (StringValue ?? '')) + (BinaryValue?.length ?? 0);
  }
  return bytes;
}

function readStructure(message: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const byProtocol = Object(value) as Record<string, unknown>;
  if (typeof byProtocol.default !== 'string') {
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  }
  return byProtocol;
}
