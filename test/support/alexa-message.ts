/**
 * What a message to Alexa must look like, written from the pages of the smart home documentation that stand at each part. It is
 * ours: Amazon's own schema file (github.com/alexa/alexa-smarthome, validation_schemas) comes in no package. Members that are not
 * documented are refused.
 */
import * as v from 'valibot';

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html: header, endpoint, scope. */
const MessageId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,127}$/));
const CorrelationToken = v.pipe(v.string(), v.minLength(1));
const EndpointId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_\-=#;:?@&]{1,256}$/));
const Scope = v.strictObject({ type: v.literal('BearerToken'), token: v.pipe(v.string(), v.minLength(1)) });
const header = (namespace: string, name: string) => ({
  namespace: v.literal(namespace),
  name: v.literal(name),
  payloadVersion: v.literal('3'),
  messageId: MessageId,
});
const answering = { correlationToken: v.optional(CorrelationToken) };
const answered = v.strictObject({ endpointId: EndpointId });
const reported = v.strictObject({ scope: Scope, endpointId: EndpointId });

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-property-schemas.html */
const property = <Value extends v.GenericSchema>(namespace: string, name: string, value: Value) =>
  v.strictObject({
    namespace: v.literal(namespace),
    name: v.literal(name),
    value,
    timeOfSample: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/), v.isoTimestamp()),
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
const Properties = v.pipe(
  v.array(Property),
  v.check((all) => new Set(all.map((each) => `${each.namespace}.${each.name}`)).size === all.length, 'comes twice'),
);
const Context = v.strictObject({ properties: Properties });
/** What is in the context of an answer, `connectivity` always. */
const Known = v.strictObject({
  properties: v.pipe(
    Properties,
    v.check((all) => all.some(({ name }) => name === 'connectivity'), 'does not say whether the endpoint is reachable'),
  ),
});

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html */
const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
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
const Endpoint = v.strictObject({
  endpointId: EndpointId,
  manufacturerName: Text,
  friendlyName: Text,
  description: Text,
  displayCategories: v.pipe(
    v.array(v.picklist(['LIGHT', 'SWITCH', 'TEMPERATURE_SENSOR', 'CONTACT_SENSOR', 'MOTION_SENSOR', 'OTHER'])),
    v.minLength(1),
  ),
  additionalAttributes: v.partial(
    v.strictObject({
      manufacturer: v.pipe(v.string(), v.maxLength(256)),
      model: v.pipe(v.string(), v.maxLength(256)),
      serialNumber: v.pipe(v.string(), v.maxLength(256)),
      firmwareVersion: v.pipe(v.string(), v.maxLength(256)),
    }),
  ),
  cookie: v.record(v.string(), v.string()),
  capabilities: v.pipe(
    v.array(Capability),
    v.check((all) => all.some((each) => each.interface === 'Alexa'), 'lacks the interface Alexa'),
    v.check((all) => all.some((each) => each.interface === 'Alexa.EndpointHealth'), 'lacks Alexa.EndpointHealth'),
    v.check((all) => new Set(all.map((each) => each.interface)).size === all.length, 'names an interface twice'),
  ),
});
const Endpoints = v.pipe(v.array(Endpoint), v.maxLength(300));

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html */
const Message = v.pipe(v.string(), v.minLength(1));
const Failure = v.union([
  v.strictObject({
    type: v.picklist([
      'ENDPOINT_BUSY',
      'ENDPOINT_UNREACHABLE',
      'EXPIRED_AUTHORIZATION_CREDENTIAL',
      'INTERNAL_ERROR',
      'INVALID_AUTHORIZATION_CREDENTIAL',
      'INVALID_DIRECTIVE',
      'INVALID_VALUE',
      'NO_SUCH_ENDPOINT',
    ]),
    message: Message,
  }),
  v.strictObject({
    type: v.literal('VALUE_OUT_OF_RANGE'),
    message: Message,
    validRange: v.strictObject({ minimumValue: v.number(), maximumValue: v.number() }),
  }),
]);

/** What the function may answer with. */
const Answer = v.union([
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject(header('Alexa.Discovery', 'Discover.Response')),
      payload: v.strictObject({ endpoints: Endpoints }),
    }),
  }),
  /** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-authorization.html */
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject(header('Alexa.Authorization', 'AcceptGrant.Response')),
      payload: v.strictObject({}),
    }),
  }),
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject(header('Alexa.Authorization', 'ErrorResponse')),
      payload: v.strictObject({ type: v.literal('ACCEPT_GRANT_FAILED'), message: Message }),
    }),
  }),
  /** .../alexa-response.html, .../alexa-statereport.html */
  ...['Response', 'StateReport'].map((name) =>
    v.strictObject({
      context: Known,
      event: v.strictObject({
        header: v.strictObject({ ...header('Alexa', name), ...answering }),
        endpoint: answered,
        payload: v.strictObject({}),
      }),
    }),
  ),
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject({ ...header('Alexa', 'ErrorResponse'), ...answering }),
      endpoint: v.optional(answered),
      payload: Failure,
    }),
  }),
]);

/** What may go to the event gateway. */
const Report = v.union([
  /** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-changereport.html */
  v.strictObject({
    context: Context,
    event: v.strictObject({
      header: v.strictObject(header('Alexa', 'ChangeReport')),
      endpoint: reported,
      payload: v.strictObject({
        change: v.strictObject({
          cause: v.strictObject({ type: v.picklist(['APP_INTERACTION', 'PHYSICAL_INTERACTION']) }),
          properties: v.pipe(Properties, v.minLength(1)),
        }),
      }),
    }),
  }),
  /** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html#addorupdatereport-event */
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject(header('Alexa.Discovery', 'AddOrUpdateReport')),
      payload: v.strictObject({ endpoints: v.pipe(Endpoints, v.minLength(1)), scope: Scope }),
    }),
  }),
  v.strictObject({
    event: v.strictObject({
      header: v.strictObject(header('Alexa.Discovery', 'DeleteReport')),
      payload: v.strictObject({
        endpoints: v.pipe(v.array(v.strictObject({ endpointId: EndpointId })), v.minLength(1)),
        scope: Scope,
      }),
    }),
  }),
]);

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
type Read = any;

/** An answer to a directive. @throws Error naming what Alexa would not take */
export function readAnswer(message: unknown): Read {
  return read(Answer, message);
}

/** A message to the event gateway. @throws Error naming what Alexa would not take */
export function readReport(message: unknown): Read {
  return read(Report, message);
}

function read(schema: v.GenericSchema, message: unknown): Read {
  const result = v.safeParse(schema, message);
  if (!result.success) throw new Error(`Alexa would not take ${JSON.stringify(message)}`);
  return message;
}
