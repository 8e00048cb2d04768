/** What a device publishes on a sensor topic: one reading or a batch. Unknown members are kept. */
import * as v from 'valibot';

/** AWS IoT takes at most 128 KB per message. */
export const MAX_MESSAGE_BYTES = 128 * 1024;

export const ReadingValue = v.union([
  v.pipe(v.number(), v.finite()),
  v.boolean(),
  v.pipe(v.string(), v.maxLength(256)),
]);
export type ReadingValue = v.InferOutput<typeof ReadingValue>;

/** Device time in epoch milliseconds. Whole numbers only; whether it is plausible is decided against server time. */
const DeviceTime = v.pipe(v.number(), v.safeInteger());

/** `<session>-<seq>`: the same message sent twice has the same id. The agent always sends one. */
export const MessageId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

export const Reading = v.looseObject({
  value: ReadingValue,
  time: v.optional(DeviceTime),
  /** SenML unit, RFC 8428: `Cel`, `%RH`, `Pa`. */
  unit: v.optional(v.pipe(v.string(), v.maxLength(16))),
});
export type Reading = v.InferOutput<typeof Reading>;

export const SingleReadingMessage = v.looseObject({ ...Reading.entries, id: v.optional(MessageId) });

export const BatchMessage = v.looseObject({
  id: v.optional(MessageId),
  readings: v.pipe(v.array(Reading), v.minLength(1)),
});

export const TelemetryMessage = v.union([BatchMessage, SingleReadingMessage]);
export type TelemetryMessage = v.InferOutput<typeof TelemetryMessage>;
