/**
 * What a message to Alexa must look like, written from the pages of the smart home documentation that stand at each part. Members
 * that we have no use for are refused, documented or not; Amazon's JSON schema takes several of them, a payload in every `Response`,
 * and errors without words. With `ALEXA_SCHEMA` it is asked as well (docs/testing.md).
 */
import * as v from 'valibot';
import { EndpointId, Endpoints } from './alexa-endpoint.ts';
import { Properties } from './alexa-property.ts';
import { PublishedSchema } from './alexa-published-schema.ts';

/** Kilobytes, in the smaller of their meanings. https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html */
const MAX_REPORT_BYTES = 256_000;
const { ALEXA_SCHEMA } = process.env;

/** Amazon's own schema; undefined when the environment names none. */
export const published = ALEXA_SCHEMA ? new PublishedSchema(ALEXA_SCHEMA) : undefined;

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html: header, endpoint, scope. */
const MessageId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,127}$/));
const CorrelationToken = v.pipe(v.string(), v.minLength(1));
const Scope = v.strictObject({ type: v.literal('BearerToken'), token: v.pipe(v.string(), v.minLength(1)) });
const header = (namespace: string, name: string) => ({
  namespace: v.literal(namespace),
  name: v.literal(name),
  payloadVersion: v.literal('3'),
  messageId: MessageId,
});
/** The directive's token comes back, if it had one. */
const answering = (namespace: string, name: string) =>
  v.strictObject({ ...header(namespace, name), correlationToken: v.optional(CorrelationToken) });
const answered = v.strictObject({ endpointId: EndpointId });
const reported = v.strictObject({ scope: Scope, endpointId: EndpointId });

const Context = v.strictObject({ properties: Properties });
/** What is in the context of an answer, `connectivity` always. */
const Known = v.strictObject({
  properties: v.pipe(
    Properties,
    v.check((all) => all.some(({ name }) => name === 'connectivity'), 'does not say whether the endpoint is reachable'),
  ),
});

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
      header: answering('Alexa.Discovery', 'Discover.Response'),
      payload: v.strictObject({ endpoints: Endpoints }),
    }),
  }),
  /** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-authorization.html */
  v.strictObject({
    event: v.strictObject({
      header: answering('Alexa.Authorization', 'AcceptGrant.Response'),
      payload: v.strictObject({}),
    }),
  }),
  v.strictObject({
    event: v.strictObject({
      header: answering('Alexa.Authorization', 'ErrorResponse'),
      payload: v.strictObject({ type: v.literal('ACCEPT_GRANT_FAILED'), message: Message }),
    }),
  }),
  /** .../alexa-response.html, .../alexa-statereport.html */
  ...['Response', 'StateReport'].map((name) =>
    v.strictObject({
      context: Known,
      event: v.strictObject({
        header: answering('Alexa', name),
        endpoint: answered,
        payload: v.strictObject({}),
      }),
    }),
  ),
  v.strictObject({
    event: v.strictObject({
      header: answering('Alexa', 'ErrorResponse'),
      endpoint: v.optional(answered),
      payload: Failure,
    }),
  }),
]);

/** What may go to the event gateway. A `DeleteReport` is documented, and Amazon's schema (01680b1) has none. */
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
      payload: v.pipe(
        v.strictObject({ endpoints: v.pipe(Endpoints, v.minLength(1)), scope: Scope }),
        v.check((payload) => Buffer.byteLength(JSON.stringify(payload)) <= MAX_REPORT_BYTES, 'is too large'),
      ),
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
  if (!v.is(schema, message)) throw new Error(`Alexa would not take ${JSON.stringify(message)}`);
  published?.check(message);
  return message;
}
