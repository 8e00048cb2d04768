/** Endpoints in messages to Alexa: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html */
import * as v from 'valibot';

export const EndpointId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_\-=#;:?@&]{1,256}$/));
const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Attribute = v.pipe(v.string(), v.maxLength(256));
const areUnique = (all: readonly string[]) => new Set(all).size === all.length;

const PROPERTY_OF: Readonly<Record<string, string>> = {
  'Alexa.PowerController': 'powerState',
  'Alexa.BrightnessController': 'brightness',
  'Alexa.TemperatureSensor': 'temperature',
  'Alexa.ContactSensor': 'detectionState',
  'Alexa.MotionSensor': 'detectionState',
  'Alexa.EndpointHealth': 'connectivity',
};
const Capability = v.union([
  v.strictObject({ type: v.literal('AlexaInterface'), interface: v.literal('Alexa'), version: v.literal('3') }),
  v.pipe(
    v.strictObject({
      type: v.literal('AlexaInterface'),
      interface: v.picklist(Object.keys(PROPERTY_OF)),
      version: v.literal('3'),
      properties: v.strictObject({
        supported: v.pipe(v.array(v.strictObject({ name: v.string() })), v.length(1)),
        proactivelyReported: v.boolean(),
        retrievable: v.boolean(),
      }),
    }),
    v.check((each) => PROPERTY_OF[each.interface] === each.properties.supported[0]?.name, 'has no such property'),
  ),
]);

/**
 * Stricter than Amazon's JSON schema, which takes endpoints without the interfaces `Alexa` and `Alexa.EndpointHealth`, and any member
 * besides. Sensors need the latter: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-endpointhealth.html
 */
const Endpoint = v.strictObject({
  endpointId: EndpointId,
  manufacturerName: Text,
  friendlyName: Text,
  description: Text,
  displayCategories: v.pipe(
    v.array(v.picklist(['LIGHT', 'SWITCH', 'TEMPERATURE_SENSOR', 'CONTACT_SENSOR', 'MOTION_SENSOR', 'OTHER'])),
    v.minLength(1),
    v.check((all) => areUnique(all), 'names a category twice'),
  ),
  additionalAttributes: v.partial(
    v.strictObject({ manufacturer: Attribute, model: Attribute, serialNumber: Attribute, firmwareVersion: Attribute }),
  ),
  cookie: v.record(v.string(), v.string()),
  capabilities: v.pipe(
    v.array(Capability),
    v.check((all) => all.some((each) => each.interface === 'Alexa'), 'lacks the interface Alexa'),
    v.check((all) => all.some((each) => each.interface === 'Alexa.EndpointHealth'), 'lacks Alexa.EndpointHealth'),
    v.check((all) => areUnique(all.map((each) => each.interface)), 'names an interface twice'),
  ),
});

/** Of one person. */
export const Endpoints = v.pipe(
  v.array(Endpoint),
  v.maxLength(300),
  v.check((all) => areUnique(all.map(({ endpointId }) => endpointId)), 'names an endpoint twice'),
);
