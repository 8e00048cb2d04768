/**
 * What runs in the thread of an execution environment: loads the function once, then answers one invocation at a time.
 * It knows nothing of the runtime beside the messages.
 */
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { installOutput } from './console.ts';
import { toErrorDocument, toLoggedError } from './error-document.ts';
import { type Handler, loadHandler } from './load-handler.ts';
import type { EnvironmentData, EnvironmentMessage, InvokeMessage } from './messages.ts';
import { installVirtualDate, setClockOffset } from './virtual-date.ts';

// They were for Node.js alone: the code of the function was not given them.
delete process.env.NODE_COMPILE_CACHE;
delete process.env.NODE_COMPILE_CACHE_PORTABLE;

const realNow = Date.now;
// The parent gives exactly this.
const data = workerData as EnvironmentData;
let current: InvokeMessage | undefined;

function post(message: EnvironmentMessage): void {
  parentPort?.postMessage(message);
}

setClockOffset(data.clockOffsetMs);
installVirtualDate();
const log = installOutput({
  ...data,
  write: (text) => post({ type: 'output', text }),
  requestId: () => current?.requestId,
});

function fail(kind: string, error: unknown, errorType?: string): void {
  log('ERROR', `${kind} \t${toLoggedError(error, errorType)}`);
  post({ type: 'fatal', error: JSON.stringify(toErrorDocument(error, errorType)) });
}

process.on('uncaughtException', (error) => fail('Uncaught Exception', error));
process.on('unhandledRejection', (reason) => {
  const errorType = 'Runtime.UnhandledPromiseRejection';
  fail('Unhandled Promise Rejection', reason instanceof Error ? reason : new Error(String(reason)), errorType);
});

function contextOf(message: InvokeMessage): Readonly<Record<string, unknown>> {
  const deadline = realNow() + message.timeoutMs;
  const { env } = process;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: message.clientContext === undefined ? undefined : JSON.parse(message.clientContext),
    identity: undefined,
    invokedFunctionArn: message.functionArn,
    awsRequestId: message.requestId,
    getRemainingTimeInMillis: () => Math.max(0, deadline - realNow()),
  };
}

function run(handler: Handler, message: InvokeMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, result: unknown): void => (error ? reject(error) : resolve(result));
    const returned = handler(JSON.parse(message.event), contextOf(message), callback);
    const isPromise = typeof Object(returned).then === 'function';
    // A handler that neither returns a promise nor takes a callback is done when it returns.
    if (isPromise || handler.length < 3) resolve(returned);
  });
}

async function invoke(handler: Handler, message: InvokeMessage): Promise<void> {
  current = message;
  setClockOffset(message.clockOffsetMs);
  process.env._X_AMZN_TRACE_ID = message.traceId;
  let answer: EnvironmentMessage;
  try {
    const payload = toJson(await run(handler, message));
    answer = { type: 'result', payload, heapBytes: getHeapStatistics().used_heap_size };
  } catch (error) {
    log('ERROR', `Invoke Error \t${toLoggedError(error)}`);
    const document = JSON.stringify(toErrorDocument(error));
    answer = { type: 'error', error: document, heapBytes: getHeapStatistics().used_heap_size };
  }
  current = undefined;
  post(answer);
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    const error = new Error('Unable to stringify response body', { cause });
    error.name = 'Runtime.MarshalError';
    throw error;
  }
}

try {
  const handler = await loadHandler(data.taskRoot, data.handler, data.runtime);
  parentPort?.on('message', (message: InvokeMessage) => void invoke(handler, message));
  post({ type: 'ready' });
} catch (error) {
  fail('Uncaught Exception', error);
}
