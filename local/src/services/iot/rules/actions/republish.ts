import { invalidRequest } from '../../control/errors.ts';
import type { Template } from '../template.ts';
import type { ActionParameters } from './action-parameters.ts';
import { ActionFailure, type ActionKind, type Invocation } from './rule-action.ts';

const RESERVED_WITHOUT_ESCAPE = /^\$(?![{$])/;

/** Publishes to another topic (https://docs.aws.amazon.com/iot/latest/developerguide/republish-rule-action.html). */
export const republishAction: ActionKind = {
  failedAction: 'RepublishAction',
  actionType: 'Republish',
  failure: 'Failed to republish message',
  compile(parameters) {
    const qos = parameters.integer('qos') ?? 0;
    if (qos !== 0 && qos !== 1) throw invalidRequest(`republish.qos is ${qos}; it has to be 0 or 1`);
    if (RESERVED_WITHOUT_ESCAPE.test(parameters.text('topic'))) {
      throw invalidRequest('republish.topic: write $$ for the $ of a reserved topic, as in $$aws/things');
    }
    const headers = compileHeaders(parameters.optionalObject('headers'));
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('topic', { escapesDollar: true }),
      async run(invocation, topic) {
        const input = { topic, qos, payload: invocation.payload.bytes, ...(await headers?.(invocation)) };
        return invocation.call('iot-data', 'Publish', input);
      },
    };
  },
};

type Headers = (invocation: Invocation) => Promise<Readonly<Record<string, string | number>>>;

const TEXT_HEADERS = ['contentType', 'responseTopic', 'correlationData'] as const;

/** Every header takes templates (https://docs.aws.amazon.com/iot/latest/apireference/API_MqttHeaders.html). */
function compileHeaders(parameters: ActionParameters | undefined): Headers | undefined {
  if (!parameters) return undefined;
  const texts = TEXT_HEADERS.map((name) => [name, parameters.optionalTemplate(name)] as const);
  const indicator = parameters.optionalTemplate('payloadFormatIndicator');
  const expiry = parameters.optionalTemplate('messageExpiry');
  const properties = parameters.objects('userProperties').map((each) => {
    const property = { key: each.template('key'), value: each.template('value') };
    each.refuseOthers();
    return property;
  });
  parameters.refuseOthers();
  return async (invocation) => {
    const headers: Record<string, string | number> = {};
    for (const [name, template] of texts) await setText(headers, name, template, invocation);
    await setText(headers, 'payloadFormatIndicator', indicator, invocation);
    const format = headers.payloadFormatIndicator;
    if (format !== undefined && format !== 'UTF8_DATA' && format !== 'UNSPECIFIED_BYTES') {
      throw new ActionFailure(`payloadFormatIndicator is ${format}; it has to be UTF8_DATA or UNSPECIFIED_BYTES`);
    }
    if (expiry) headers.messageExpiry = toSeconds(await expiry(invocation));
    if (properties.length > 0) {
      const list = [];
      for (const { key, value } of properties) list.push({ [await key(invocation)]: await value(invocation) });
      // As the header of Publish carries them.
      headers.userProperties = Buffer.from(JSON.stringify(list)).toString('base64');
    }
    return headers;
  };
}

async function setText(
  headers: Record<string, string | number>,
  name: string,
  template: Template | undefined,
  invocation: Invocation,
): Promise<void> {
  if (template) headers[name] = await template(invocation);
}

function toSeconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new ActionFailure(`messageExpiry is ${JSON.stringify(text)}; it has to be a number of seconds`);
}
