/**
 * Properties of endpoints in messages to Alexa: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-property-schemas.html.
 * Stricter than Amazon's JSON schema: the milliseconds are whole, a temperature has its value, `connectivity` nothing besides its
 * value, and none has an `instance` (https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html).
 */
import * as v from 'valibot';

/** ISO 8601 in UTC, a day of the calendar. `Date` would take the 30th of February as the 2nd of March. */
const TimeOfSample = v.pipe(
  v.string(),
  v.regex(/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/),
  v.check((text) => Number.isFinite(Date.parse(text)) && new Date(text).toISOString().startsWith(text.slice(0, 19))),
);
const property = <Value extends v.GenericSchema>(namespace: string, name: string, value: Value) =>
  v.strictObject({
    namespace: v.literal(namespace),
    name: v.literal(name),
    value,
    timeOfSample: TimeOfSample,
    uncertaintyInMilliseconds: v.pipe(v.number(), v.integer(), v.minValue(0)),
  });
const Detection = v.picklist(['DETECTED', 'NOT_DETECTED']);
const Property = v.union([
  /** .../alexa-powercontroller.html */
  property('Alexa.PowerController', 'powerState', v.picklist(['ON', 'OFF'])),
  /** .../alexa-brightnesscontroller.html */
  property('Alexa.BrightnessController', 'brightness', v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100))),
  /** .../alexa-temperaturesensor.html */
  property(
    'Alexa.TemperatureSensor',
    'temperature',
    v.strictObject({ value: v.number(), scale: v.picklist(['CELSIUS', 'FAHRENHEIT', 'KELVIN']) }),
  ),
  /** .../alexa-contactsensor.html, .../alexa-motionsensor.html */
  property('Alexa.ContactSensor', 'detectionState', Detection),
  property('Alexa.MotionSensor', 'detectionState', Detection),
  /** .../alexa-endpointhealth.html */
  property('Alexa.EndpointHealth', 'connectivity', v.strictObject({ value: v.picklist(['OK', 'UNREACHABLE']) })),
]);

/** A property is in a message once. */
export const Properties = v.pipe(
  v.array(Property),
  v.check((all) => new Set(all.map((each) => `${each.namespace}.${each.name}`)).size === all.length, 'comes twice'),
);
