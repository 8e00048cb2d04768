import { invalidRequest } from '../../control/errors.ts';
import type { BatchLimits } from '../http-batches.ts';
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
  /** Undefined for a message that goes alone; the key tells which messages may go together. */
  readonly batch: (BatchLimits & { readonly key: string; readonly ruleName: string }) | undefined;
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
    const batching = batchingIn(parameters);
    const deadlines = new WeakMap<Invocation, number>();
    return {
      roleArn: sigv4?.roleArn,
      resource: url,
      destinationUrl: confirmationUrl.constant,
      isBatched: batching !== undefined,
      async run(invocation, filled) {
        const deadline = deadlines.get(invocation) ?? performance.now() + TOTAL_MS;
        deadlines.set(invocation, deadline);
        const input: HttpRequestInput = {
          url: filled,
          confirmationUrl: await confirmationUrl(invocation),
          headers: await Promise.all(headers.map(async ({ name, value }) => [name, await value(invocation)] as const)),
          body: invocation.payload.bytes,
          timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
          batch: batching && { ...batching, ...batchOf(invocation, filled, batching.acrossTopics) },
          signing: sigv4,
        };
        return invocation.call('iot', 'SendToDestination', input);
      },
    };
  },
};

/** Messages of one rule for one URL go together, and of one topic unless the rule says otherwise. */
function batchOf({ ruleName, scope }: Invocation, url: string, acrossTopics: boolean) {
  return { ruleName, key: [ruleName, url, acrossTopics ? '' : scope.message.topic].join('\n') };
}

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

function batchingIn(parameters: ActionParameters): (BatchLimits & { readonly acrossTopics: boolean }) | undefined {
  const isBatching = parameters.boolean('enableBatching');
  const config = parameters.optionalObject('batchConfig');
  const limit = (member: string, least: number, most: number, usual: number): number => {
    const value = config?.integer(member) ?? usual;
    if (value >= least && value <= most) return value;
    throw invalidRequest(`http.batchConfig.${member} is ${value}; it has to be ${least} to ${most}`);
  };
  const limits = {
    maxOpenMs: limit('maxBatchOpenMs', 5, 200, 20),
    maxSize: limit('maxBatchSize', 2, 10, 10),
    maxSizeBytes: limit('maxBatchSizeBytes', 100, 131_072, 5120),
    acrossTopics: config?.boolean('batchAcrossTopics') ?? false,
  };
  config?.refuseOthers();
  if (config && !isBatching) throw invalidRequest('http.batchConfig needs http.enableBatching');
  return isBatching ? limits : undefined;
}
