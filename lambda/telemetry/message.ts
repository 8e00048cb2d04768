import { BatchMessage, type Reading, SingleReadingMessage } from '@thingstead/contracts/telemetry';
import {
  CLOCK_AHEAD_MS,
  type ClockMark,
  type QuarantinedMessage,
  RULE_COLUMNS,
  TelemetryEnvelope,
} from '@thingstead/contracts/telemetry-store';
import { type Validated, validate } from '@thingstead/contracts/validate';

/** A record of the stream, with its place. */
export interface StreamRecord {
  readonly shardId: string;
  /** Decimal digits; grows within a shard. */
  readonly sequenceNumber: string;
  readonly data: Buffer;
}

export interface TimedReading {
  readonly value: number | boolean | string;
  readonly unit: string | undefined;
  /** Epoch milliseconds: device time, or time of arrival when the device gave none or an absurd one. */
  readonly time: number;
  readonly clock: ClockMark | undefined;
  /** What the device said, when its clock is marked. */
  readonly deviceTime: number | undefined;
}

/** A valid message, with times that can be relied on. */
export interface Message {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly thing: string;
  readonly sensor: string;
  /** What the device gave: sent again, the message has the same. */
  readonly id: string | undefined;
  /** The same, or what the rule gave instead. */
  readonly messageId: string;
  readonly receivedAt: number;
  /** In the order of the batch. */
  readonly readings: readonly TimedReading[];
}

export type ParsedRecord =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'malformed'; readonly quarantined: QuarantinedMessage };

/** Numbers of DynamoDB end at 10^126, and the sum of an hour must fit too. */
const MAX_MAGNITUDE = 1e100;
const MIN_MAGNITUDE = 1e-100;

/** Reads what the telemetry rule put on the stream. `maxBackfillMs` is the age from which a device's clock is disbelieved. */
export function parseRecord(record: StreamRecord, maxBackfillMs: number): ParsedRecord {
  const { shardId, sequenceNumber, data } = record;
  const place = { shardId, sequenceNumber };
  const payload = parseObject(data);
  if (!payload) {
    const reason = 'what the rule selected is no JSON object';
    return malformed({ ...place, thing: null, sensor: null, reason, base64: data.toString('base64') });
  }
  const original = Object.fromEntries(
    Object.entries(payload).filter(([name]) => !RULE_COLUMNS.some((column) => column === name)),
  );
  const known = {
    ...place,
    thing: typeof payload.thing === 'string' ? payload.thing : null,
    sensor: typeof payload.sensor === 'string' ? payload.sensor : null,
    message: original,
  };
  const envelope = validate(TelemetryEnvelope, payload);
  if (!envelope.ok) return malformed({ ...known, reason: envelope.reason });
  const { thing, sensor, receivedAt } = envelope.value;
  const content = readContent(original);
  if (!content.ok) return malformed({ ...known, receivedAt, reason: content.reason });

  const { id, readings } = content.value;
  const message = {
    ...place,
    thing,
    sensor,
    id,
    messageId: id ?? String(payload.messageId),
    receivedAt,
    readings: readings.map(({ value, unit, time }) => ({
      value,
      unit,
      ...placeInTime(time, receivedAt, maxBackfillMs),
    })),
  };
  return { kind: 'message', message };
}

interface Content {
  readonly id: string | undefined;
  readonly readings: readonly Reading[];
}

/** What says that it is a batch is checked as one: unknown members are kept, so a damaged batch could pass as a reading. */
function readContent(original: Readonly<Record<string, unknown>>): Validated<Content> {
  let id: string | undefined;
  let readings: readonly Reading[];
  if ('readings' in original) {
    const batch = validate(BatchMessage, original);
    if (!batch.ok) return batch;
    ({ id, readings } = batch.value);
  } else {
    const single = validate(SingleReadingMessage, original);
    if (!single.ok) return single;
    id = single.value.id;
    readings = [single.value];
  }
  const wrong = readings.find(({ value }) => typeof value === 'number' && !fits(value));
  if (wrong) return { ok: false, reason: `value: ${wrong.value} is not between 1e-100 and 1e100` };
  return { ok: true, value: { id, readings } };
}

function fits(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= MIN_MAGNITUDE && magnitude <= MAX_MAGNITUDE);
}

function malformed(quarantined: QuarantinedMessage): ParsedRecord {
  return { kind: 'malformed', quarantined };
}

function parseObject(data: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function placeInTime(
  deviceTime: number | undefined,
  receivedAt: number,
  maxBackfillMs: number,
): Pick<TimedReading, 'time' | 'clock' | 'deviceTime'> {
  if (deviceTime === undefined) return { time: receivedAt, clock: undefined, deviceTime: undefined };
  if (deviceTime > receivedAt + CLOCK_AHEAD_MS) return { time: receivedAt, clock: 'ahead', deviceTime };
  if (deviceTime < receivedAt - maxBackfillMs) return { time: receivedAt, clock: 'behind', deviceTime };
  return { time: deviceTime, clock: undefined, deviceTime: undefined };
}
