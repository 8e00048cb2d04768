/** What a request leaves behind: a line in the access log, metrics, a count on the meter. */
import type { Caller } from '../../../kernel/caller.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { HTTP_API_REQUEST_BYTES, increments } from '../../../meter/increments.ts';
import { recordMetrics, type ServiceMetric } from '../../cloudwatch/record-metrics.ts';
import { logGroupOf } from '../definitions/stage.ts';
import { contextVariable, type Outcome } from './context-variables.ts';
import type { Exchange } from './exchange.ts';

const VARIABLE = /\$context\.([A-Za-z]\w*(?:\.[\w-]+)*)/g;
const EVENT_OVERHEAD_BYTES = 26;

/** Records in the background; nothing of it can fail the request. */
export function record(exchange: Exchange, outcome: Outcome): void {
  const { kernel } = exchange;
  count(exchange, outcome);
  kernel.activity.track(async () => {
    await recordMetrics(kernel, gatewayCaller(exchange), metricsOf(exchange, outcome));
    await writeAccessLog(exchange, outcome);
  });
}

/** Refusals by authorizers and for the rate cost nothing (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-pricing.html). */
function count({ kernel, api, request, isFree }: Exchange, { responseLength }: Outcome): void {
  if (isFree) return;
  const bytes = Math.max(request.body.length, responseLength);
  kernel.meter.add('httpApiRequest', api.definition.name, increments(bytes, HTTP_API_REQUEST_BYTES));
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html */
function metricsOf(exchange: Exchange, { status, latencyMs, responseLength }: Outcome): readonly ServiceMetric[] {
  const { api, stage, route, request, integrationLatencyMs } = exchange;
  const ApiId = api.definition.apiId;
  const dimensions: Record<string, string>[] = [{ ApiId }];
  if (stage) {
    dimensions.push({ ApiId, Stage: stage.stageName });
    if (route && isDetailed(exchange)) {
      const [Method = '', Resource = Method] = route.routeKey.split(' ');
      dimensions.push({ ApiId, Stage: stage.stageName, Method, Resource });
    }
  }
  const values: [string, number, string][] = [
    ['Count', 1, 'Count'],
    ['4xx', status >= 400 && status < 500 ? 1 : 0, 'Count'],
    ['5xx', status >= 500 ? 1 : 0, 'Count'],
    ['Latency', latencyMs, 'Milliseconds'],
    ['DataProcessed', request.body.length + responseLength, 'Bytes'],
  ];
  if (integrationLatencyMs !== undefined) values.push(['IntegrationLatency', integrationLatencyMs, 'Milliseconds']);
  return dimensions.flatMap((each) =>
    values.map(([metricName, value, unit]) => ({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensions: each,
      value,
      unit,
    })),
  );
}

function isDetailed({ stage, route }: Exchange): boolean {
  const own = route && stage?.routeSettings[route.routeKey]?.detailedMetricsEnabled;
  return own ?? stage?.defaultRouteSettings?.detailedMetricsEnabled ?? false;
}

async function writeAccessLog(exchange: Exchange, outcome: Outcome): Promise<void> {
  const { kernel, api, stage } = exchange;
  const { destinationArn, format } = stage?.accessLogSettings ?? {};
  const logGroupName = logGroupOf(destinationArn ?? '');
  if (!stage || format === undefined || logGroupName === undefined) return;
  const message = format.replaceAll(VARIABLE, (_all, name: string) => {
    const value = contextVariable(exchange, name, outcome);
    // A client decides over paths and agents: they cannot end a line, or a text in JSON.
    return value === undefined ? '-' : JSON.stringify(value).slice(1, -1);
  });
  const logStreamName = `${api.definition.apiId}_${stage.stageName.replace('$', '')}`;
  const logEvents = [{ timestamp: exchange.startedAt, message }];
  try {
    await putLogEvents(kernel, { logGroupName, logStreamName, logEvents });
    kernel.meter.add('logsIn', logGroupName, Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    kernel.log.warn('an access log cannot be written', { api: api.definition.name, error });
  }
}

/** AWS delivers these logs itself; the rights to do so came with the stage. */
async function putLogEvents(
  kernel: Kernel,
  input: { logGroupName: string; logStreamName: string; logEvents: unknown },
) {
  const caller: Caller = { kind: 'deployment', arn: 'delivery.logs.amazonaws.com', accountId: kernel.accountId };
  try {
    await kernel.call('logs', 'PutLogEvents', input, caller);
  } catch (error) {
    if (!(error instanceof AwsError && error.code === 'ResourceNotFoundException')) throw error;
    const { logGroupName, logStreamName } = input;
    try {
      await kernel.call('logs', 'CreateLogStream', { logGroupName, logStreamName }, caller);
    } catch (again) {
      // Another request was faster.
      if (!(again instanceof AwsError && again.code === 'ResourceAlreadyExistsException')) throw again;
    }
    await kernel.call('logs', 'PutLogEvents', input, caller);
  }
}

function gatewayCaller({ kernel, api }: Exchange): Caller {
  const arn = `arn:aws:apigateway:${kernel.region}::/apis/${api.definition.apiId}`;
  return kernel.serviceCaller('apigateway.amazonaws.com', arn);
}
