import { notEmulated } from '../../../../kernel/errors.ts';
import { invalidRequest } from '../../control/errors.ts';
import type { Template } from '../template.ts';
import type { ActionParameters } from './action-parameters.ts';
import type { ActionKind, Invocation } from './rule-action.ts';

/** "The total timeout for all attempts" (https-rule-action.html), in milliseconds of real time. */
const TOTAL_MS = 3000;
const MAX_HEADERS = 100;

/** What the internal operation SendToDestination posts. */
export interface HttpRequestInput {
  readonly url: string;
  readonly confirmationUrl: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly signing: { readonly region: string; readonly service: string } | undefined;
}

interface Header {
  readonly name: string;
  readonly value: Template;
}

/** Posts to a confirmed destination (https://docs.aws.amazon.com/iot/latest/developerguide/https-rule-action.html). */
export const httpAction: ActionKind = {
  failedAction: 'HttpAction',
  actionType: 'HTTP',
  failure: 'Failed to send HTTP request',
  compile(parameters) {
    const url = parameters.template('url');
    const confirmationUrl = parameters.optionalTemplate('confirmationUrl') ?? url;
    if (url.constant !== undefined && !url.constant.startsWith('https://')) {
      throw invalidRequest(`http.url is ${url.constant}; it has to begin with https://`);
    }
    const headers = headersIn(parameters);
    const sigv4 = sigv4In(parameters);
    refuseBatching(parameters);
    const deadlines = new WeakMap<Invocation, number>();
    return {
      roleArn: sigv4?.roleArn,
      resource: url,
      destinationUrl: confirmationUrl.constant,
      async run(invocation, filled) {
        const deadline = deadlines.get(invocation) ?? performance.now() + TOTAL_MS;
        deadlines.set(invocation, deadline);
        const input: HttpRequestInput = {
          url: filled,
          confirmationUrl: await confirmationUrl(invocation),
          headers: await Promise.all(headers.map(async ({ name, value }) => [name, await value(invocation)] as const)),
          body: invocation.payload.bytes,
          timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
          signing: sigv4,
        };
        return invocation.call('iot', 'SendToDestination', input);
      },
    };
  },
};

function headersIn(parameters: ActionParameters): readonly Header[] {
  const headers = parameters.objects('headers').map((each) => {
    const header = { name: each.text('key'), value: each.template('value') };
    each.refuseOthers();
    return header;
  });
  if (headers.length > MAX_HEADERS) throw invalidRequest(`http.headers has at most ${MAX_HEADERS} headers`);
  return headers;
}

function sigv4In(parameters: ActionParameters) {
  const auth = parameters.optionalObject('auth');
  const sigv4 = auth?.optionalObject('sigv4');
  auth?.refuseOthers();
  if (!sigv4) return undefined;
  const signing = { roleArn: sigv4.roleArn(), region: sigv4.text('signingRegion'), service: sigv4.text('serviceName') };
  sigv4.refuseOthers();
  return signing;
}

function refuseBatching(parameters: ActionParameters): void {
  const isBatching = parameters.boolean('enableBatching');
  if (isBatching || parameters.optionalObject('batchConfig')) throw notEmulated('iot', 'batching of the HTTP action');
}
