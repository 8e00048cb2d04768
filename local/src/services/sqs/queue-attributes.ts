/** Attributes of a queue that its owner sets: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
import { checkResourcePolicy } from '../../iam/check-resource-policy.ts';
import type { PolicyDocument } from '../../iam/policy-document.ts';
import { AwsError } from '../../kernel/errors.ts';
import { invalidParameter } from './errors.ts';

interface Range {
  readonly min: number;
  readonly max: number;
  readonly byDefault: number;
}

const NUMBERS: Readonly<Record<string, Range>> = {
  DelaySeconds: { min: 0, max: 900, byDefault: 0 },
  MaximumMessageSize: { min: 1024, max: 1_048_576, byDefault: 1_048_576 },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, byDefault: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, byDefault: 0 },
  VisibilityTimeout: { min: 0, max: 43_200, byDefault: 30 },
  KmsDataKeyReusePeriodSeconds: { min: 60, max: 86_400, byDefault: 300 },
};

const TEXTS = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'SqsManagedSseEnabled']);

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

interface RedriveAllowPolicy {
  readonly redrivePermission: 'allowAll' | 'denyAll' | 'byQueue';
  readonly sourceQueueArns?: readonly string[];
}

/** What the attributes say, read once when they are set. */
export interface QueueSettings {
  /** As they were set, defaults included. */
  readonly texts: ReadonlyMap<string, string>;
  readonly delayMs: number;
  readonly maximumMessageBytes: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly visibilityMs: number;
  readonly policy: PolicyDocument | undefined;
  /** Of KMS; undefined for a queue without a key of its own. */
  readonly keyId: string | undefined;
  readonly redrive: RedrivePolicy | undefined;
  readonly redriveAllow: RedriveAllowPolicy | undefined;
}

export const DEFAULT_SETTINGS: QueueSettings = read(
  new Map([
    ...Object.entries(NUMBERS)
      .filter(([name]) => name !== 'KmsDataKeyReusePeriodSeconds')
      .map(([name, { byDefault }]): [string, string] => [name, String(byDefault)]),
    ['SqsManagedSseEnabled', 'true'],
  ]),
);

/**
 * The settings that result from setting `given` over `before`.
 *
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue; NotEmulated for FIFO queues
 */
export function changeSettings(before: QueueSettings, given: Readonly<Record<string, string>>): QueueSettings {
  const texts = new Map(before.texts);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith('Fifo') || name === 'ContentBasedDeduplication' || name === 'DeduplicationScope') {
      throw fifoNotEmulated();
    }
    if (!(name in NUMBERS) && !TEXTS.has(name)) {
      throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
    if (value === '') texts.delete(name);
    else texts.set(name, value);
  }
  return read(texts);
}

/** The settings of a kept queue. */
export function restoreSettings(texts: ReadonlyMap<string, string>): QueueSettings {
  return read(texts);
}

export function fifoNotEmulated(): AwsError {
  return new AwsError('NotEmulated', 'The local runtime does not emulate FIFO queues. Use a standard queue.', 501);
}

function read(texts: ReadonlyMap<string, string>): QueueSettings {
  const sse = texts.get('SqsManagedSseEnabled');
  if (sse !== undefined && sse !== 'true' && sse !== 'false') throw invalidValue('SqsManagedSseEnabled');
  if (texts.has('KmsDataKeyReusePeriodSeconds')) numberOf(texts, 'KmsDataKeyReusePeriodSeconds');
  return {
    texts,
    delayMs: numberOf(texts, 'DelaySeconds') * 1000,
    maximumMessageBytes: numberOf(texts, 'MaximumMessageSize'),
    retentionMs: numberOf(texts, 'MessageRetentionPeriod') * 1000,
    waitMs: numberOf(texts, 'ReceiveMessageWaitTimeSeconds') * 1000,
    visibilityMs: numberOf(texts, 'VisibilityTimeout') * 1000,
    policy: policyOf(texts),
    keyId: texts.get('KmsMasterKeyId'),
    redrive: redriveOf(texts),
    redriveAllow: redriveAllowOf(texts),
  };
}

function numberOf(texts: ReadonlyMap<string, string>, name: string): number {
  const range = NUMBERS[name];
  if (!range) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  const value = Number(texts.get(name) ?? range.byDefault);
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw invalidValue(name, `It is a whole number from ${range.min} to ${range.max}`);
  }
  return value;
}

function objectOf(texts: ReadonlyMap<string, string>, name: string): Readonly<Record<string, unknown>> | undefined {
  const text = texts.get(name);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidValue(name, 'It is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidValue(name, 'It is no object');
  return Object.fromEntries(Object.entries(value));
}

function policyOf(texts: ReadonlyMap<string, string>): PolicyDocument | undefined {
  const policy = objectOf(texts, 'Policy') as PolicyDocument | undefined;
  if (policy) checkResourcePolicy(policy, (detail) => invalidValue('Policy', detail));
  return policy;
}

function redriveOf(texts: ReadonlyMap<string, string>): RedrivePolicy | undefined {
  const policy = objectOf(texts, 'RedrivePolicy');
  if (!policy) return undefined;
  const { deadLetterTargetArn } = policy;
  const maxReceiveCount = Number(policy.maxReceiveCount);
  if (typeof deadLetterTargetArn !== 'string') throw redriveInvalid('deadLetterTargetArn is missing');
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1000) {
    throw redriveInvalid('maxReceiveCount must be a whole number from 1 to 1000');
  }
  return { deadLetterTargetArn, maxReceiveCount };
}

/** @throws nothing; for callers that must say why a redrive policy cannot be */
export function redriveInvalid(reason: string): AwsError {
  return invalidParameter(`Value for parameter RedrivePolicy is invalid. Reason: ${reason}.`);
}

function redriveAllowOf(texts: ReadonlyMap<string, string>): RedriveAllowPolicy | undefined {
  const policy = objectOf(texts, 'RedriveAllowPolicy');
  if (!policy) return undefined;
  const { redrivePermission, sourceQueueArns } = policy;
  if (redrivePermission !== 'allowAll' && redrivePermission !== 'denyAll' && redrivePermission !== 'byQueue') {
    throw invalidValue('RedriveAllowPolicy', 'redrivePermission is allowAll, denyAll or byQueue');
  }
  if (!Array.isArray(sourceQueueArns)) return { redrivePermission };
  return { redrivePermission, sourceQueueArns: sourceQueueArns.map(String) };
}

/** Whether a dead-letter queue with these settings takes messages from that queue. */
export function allowsRedriveFrom({ redriveAllow }: QueueSettings, sourceArn: string): boolean {
  if (!redriveAllow || redriveAllow.redrivePermission === 'allowAll') return true;
  return redriveAllow.redrivePermission === 'byQueue' && (redriveAllow.sourceQueueArns ?? []).includes(sourceArn);
}

function invalidValue(name: string, detail?: string): AwsError {
  return new AwsError(
    'InvalidAttributeValue',
    `Invalid value for the parameter ${name}.${detail ? ` ${detail.replace(/\.$/, '')}.` : ''}`,
  );
}
