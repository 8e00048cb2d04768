/** On-boarding: what a device says of itself once it is connected, and what it is answered. */
import * as v from 'valibot';
import { SENSOR_NAME, THING_NAME } from './names.ts';

/** Values of thing attributes: a limit of the AWS IoT registry. */
const AttributeValue = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/, 'must be 1 to 128 of a-z A-Z 0-9 _ . , @ / : # = [ ] -'),
);

/** `device/{thing}/register/v1`. The thing is the one of the topic; a name in the payload would not be believed. */
export const Description = v.strictObject({
  /** Comes back in the answer, so that a device knows which of its messages was answered. */
  id: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  model: AttributeValue,
  hardwareRevision: AttributeValue,
  serial: AttributeValue,
  firmwareVersion: AttributeValue,
  /** Names as in sensor topics, units as in SenML (RFC 8428). */
  sensors: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(SENSOR_NAME, 'is no name of a sensor')),
        unit: v.optional(v.pipe(v.string(), v.maxLength(16))),
      }),
    ),
    v.maxLength(32),
    v.check((sensors) => new Set(sensors.map(({ name }) => name)).size === sensors.length, 'names a sensor twice'),
  ),
  /** What Alexa can know, and change, in its shadow: `power`, `brightness`, and others (docs/voice.md). */
  capabilities: v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9.]{1,64}$/))), v.maxLength(16)), []),
  /** The thing through which this one speaks. */
  gateway: v.optional(v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name'))),
});
export type Description = v.InferOutput<typeof Description>;

/** How the fleet's owner wants things of this type to work; a device's own configuration may say less, not more often. */
export const DeviceSettings = v.object({
  /** Between readings of a sensor. */
  samplingSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400))),
  /** Between messages. */
  reportingSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400))),
});
export type DeviceSettings = v.InferOutput<typeof DeviceSettings>;

/** What the rule hands to the function. */
export const DescriptionEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  /** When the message reached AWS IoT, in epoch milliseconds: the order of descriptions. */
  at: v.pipe(v.number(), v.safeInteger()),
  /** The message as it came, in base64, so that one that is no JSON is answered too. */
  payload: v.string(),
});
export type DescriptionEvent = v.InferOutput<typeof DescriptionEvent>;

/** The members of a thing's row that on-boarding writes: the last description, and what goes with it. */
export const DescribedThing = v.object({
  thing: v.string(),
  site: v.optional(v.string()),
  ...v.omit(Description, ['id', 'capabilities', 'gateway']).entries,
  capabilities: v.array(v.string()),
  gateway: v.optional(v.string()),
  /** As the registry has it; a device has no say in it. */
  thingType: v.optional(v.string()),
  /** When the last description arrived, in epoch milliseconds. */
  describedAt: v.pipe(v.number(), v.safeInteger()),
});
export type DescribedThing = v.InferOutput<typeof DescribedThing>;

/** Settings of the function, as JSON in its environment. */
export const OnboardingSettings = v.object({
  thingTypes: v.record(
    v.string(),
    v.object({
      ...DeviceSettings.entries,
      /** Set for things that sleep. */
      expectedIntervalSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60))),
    }),
  ),
});
export type OnboardingSettings = v.InferOutput<typeof OnboardingSettings>;

/** `device/{thing}/register/v1/accepted` */
export const DescriptionAccepted = v.object({ id: v.optional(v.string()), settings: DeviceSettings });
export type DescriptionAccepted = v.InferOutput<typeof DescriptionAccepted>;

/** `device/{thing}/register/v1/rejected` */
export const DescriptionRejected = v.object({ id: v.optional(v.string()), reason: v.string() });
export type DescriptionRejected = v.InferOutput<typeof DescriptionRejected>;
