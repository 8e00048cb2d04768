/** AWS Lambda through the SDK: functions of a cloud assembly, invoked and measured. */

import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

let runtime: Runtime;
let lambda: LambdaClient;
let logs: CloudWatchLogsClient;

const FAILING = `exports.handler = async (event) => {
  if (event.kind === 'text') throw 'plain text';
  if (event.kind === 'exit') process.exit(3);
  if (event.kind === 'rejection') { Promise.reject(new Error('forgotten')); await new Promise(() => {}); }
  if (event.kind === 'hang') for (;;);
  if (event.kind === 'wait') await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (event.kind === 'memory') { const all = []; for (;;) all.push(new Array(100_000).fill(event)); }
  throw Object.assign(new TypeError('broken'), { code: 'E1' });
};`;

const assembly = new Assembly()
  .addFunction('echo', {
    code: 'exports.handler = async (event, context) => ({ event, name: context.functionName, id: context.awsRequestId, left: context.getRemainingTimeInMillis() });',
  })
  .addFunction('module', {
    code: { 'index.mjs': 'let calls = 0; export const handler = async () => ({ calls: (calls += 1) });' },
  })
  .addFunction('typed', {
    code: { 'index.js': 'export const handler = async () => import.meta.url.startsWith("file:");' },
  })
  .addFunction('environment', {
    code: 'exports.handler = async () => process.env;',
    properties: { Environment: { Variables: { COLOUR: 'blue' } }, MemorySize: 256 },
  })
  .addFunction('failing', { code: FAILING, properties: { Timeout: 1, MemorySize: 128 } })
  .addFunction('greedy', { code: FAILING, properties: { Timeout: 60, MemorySize: 128 } })
  .addFunction('busy', {
    code: `const { getHeapSpaceStatistics } = require('node:v8');
    const newSpaceBytes = () => getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size;
    exports.handler = async () => {
      const lately = new Array(200_000);
      let most = 0;
      for (let count = 0; count < 4_000_000; count += 1) {
        lately[count % lately.length] = { count };
        if (count % 100_000 === 0) most = Math.max(most, newSpaceBytes());
      }
      return { most };
    };`,
    properties: { Timeout: 60 },
  })
  .addFunction('unloadable', { code: 'require("./not-in-the-bundle");' })
  .addFunction('misnamed', { code: 'exports.main = async () => 1;' })
  .addFunction('callback', {
    code: `exports.handler = (event, context, callback) => setTimeout(() => callback(event.error, 'called'), 5);`,
    properties: { Runtime: 'nodejs22.x' },
  })
  .addFunction('outdated', { code: `exports.handler = (event, context, callback) => callback(null, 'called');` })
  .addFunction('mapped', {
    code: `exports.handler = async () => process.env.NODE_OPTIONS;`,
    properties: { Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } } },
  })
  .addFunction('time', { code: 'exports.handler = async () => ({ now: Date.now(), text: new Date().toISOString() });' })
  .addFunction('talking', {
    code: `exports.handler = async (event, context) => {
      console.log('hello %s', 'you', { a: 1 });
      console.error('two\\nlines');
      process.stdout.write('{"raw":true}\\n');
    };`,
  })
  .addFunction('json', {
    code: `exports.handler = async () => { console.debug('quiet'); console.warn('loud'); };`,
    properties: { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'WARN', LogGroup: 'apart' } },
  })
  .addFunction('silent', { code: `exports.handler = async () => { console.log('unheard'); };`, mayLog: false })
  .addFunction('metrics', {
    code: `exports.handler = async () => {
      process.stdout.write(JSON.stringify({
        _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Farm', Dimensions: [['barn']], Metrics: [{ Name: 'Eggs', Unit: 'Count' }] }] },
        barn: 'north', Eggs: [3, 4],
      }) + '\\n');
    };`,
  })
  .addFunction('slow', {
    code: `let calls = 0; exports.handler = () => new Promise((resolve) => setTimeout(() => resolve({ calls: (calls += 1) }), 300));`,
    properties: { Timeout: 10 },
  });

beforeAll(async () => {
  runtime = await assembly.start();
  lambda = new LambdaClient({ ...runtime.config, maxAttempts: 1 });
  logs = new CloudWatchLogsClient(runtime.config);
});
afterAll(() => runtime.stop());

async function invoke(FunctionName: string, event: unknown = {}, more: Partial<InvokeCommandInput> = {}) {
  const Payload = Buffer.from(JSON.stringify(event));
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload, ...more }));
  const text = Buffer.from(answer.Payload ?? []).toString();
  return { ...answer, answer: text === '' ? undefined : JSON.parse(text) };
}

async function messages(logGroupName: string): Promise<string[]> {
  await runtime.advance(0);
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
  return events.map(({ message = '' }) => message);
}

describe('an invocation', () => {
  it('gives the event and the context to the handler, and its answer to the caller', async () => {
    const { answer, StatusCode, ExecutedVersion, FunctionError } = await invoke('echo', { egg: 1 });

    expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer).toMatchObject({ event: { egg: 1 }, name: 'echo', id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(answer.left).toBeGreaterThan(1000);
  });

  it('finds the function by ARN, partial ARN and qualifier; others do not exist', async () => {
    const arn = `arn:aws:lambda:us-east-1:${runtime.endpoints.accountId}:function:echo`;

    expect((await invoke(arn)).StatusCode).toBe(200);
    expect(
      (await invoke(`${runtime.endpoints.accountId}:function:echo`, {}, { Qualifier: '$LATEST' })).StatusCode,
    ).toBe(200);
    await expect(invoke('nobody')).rejects.toBeInstanceOf(ResourceNotFoundException);
    await expect(invoke('echo', {}, { Qualifier: 'live' })).rejects.toThrow('function:echo:live');
  });

  it('uses a warm environment again, with what its module remembers', async () => {
    const first = await invoke('module');
    const second = await invoke('module');

    expect([first.answer, second.answer]).toEqual([{ calls: 1 }, { calls: 2 }]);
  });

  it('runs ES module syntax in index.js', async () => {
    expect((await invoke('typed')).answer).toBe(true);
  });

  it('sees the environment of Lambda and nothing of this machine', async () => {
    const { answer } = await invoke('environment');

    expect(answer).toMatchObject({
      COLOUR: 'blue',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'environment',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/environment',
      AWS_ENDPOINT_URL: runtime.endpoints.awsEndpoint,
      AWS_SESSION_TOKEN: expect.stringMatching(/./),
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/),
      _HANDLER: 'index.handler',
    });
    expect(answer.HOME).toBeUndefined();
    expect(Object.keys(answer).filter((each) => each.startsWith('NODE_'))).toEqual([]);
    expect(answer.LAMBDA_TASK_ROOT).not.toContain(process.cwd());
  });

  it('answers by callback on Node.js 22 only', async () => {
    expect((await invoke('callback')).answer).toBe('called');
    expect((await invoke('callback', { error: 'refused' })).answer).toMatchObject({ errorMessage: 'refused' });
    expect((await invoke('outdated')).answer.errorType).toBe('Runtime.CallbackHandlerDeprecated');
  });

  it('takes options for Node.js', async () => {
    expect((await invoke('mapped')).answer).toBe('--enable-source-maps');
  });

  it('tells virtual time', async () => {
    const before = (await invoke('time')).answer;
    await runtime.advance(3600);
    const after = (await invoke('time')).answer;

    expect(after.now - before.now).toBeGreaterThanOrEqual(3_600_000);
    expect(after.now - before.now).toBeLessThan(3_660_000);
    expect(Math.abs(Date.parse(after.text) - after.now)).toBeLessThan(1000);
  });

  it('can be tried without being run', async () => {
    expect((await invoke('echo', {}, { InvocationType: 'DryRun' })).StatusCode).toBe(204);
  });

  it('refuses what is no JSON, and more than 6 MB', async () => {
    const broken = new InvokeCommand({ FunctionName: 'echo', Payload: Buffer.from('{') });

    await expect(lambda.send(broken)).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    await expect(invoke('echo', 'x'.repeat(6 * 1024 * 1024))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
  });

  it('keeps little room for new objects, since many environments share one process', async () => {
    const { answer } = await invoke('busy');

    expect(answer.most).toBeGreaterThan(0);
    expect(answer.most).toBeLessThan(8 * 2 ** 20);
  });
});

describe('a function that fails', () => {
  it('gives type, message and trace of its error', async () => {
    const { answer, FunctionError } = await invoke('failing');

    expect(FunctionError).toBe('Unhandled');
    expect(answer).toMatchObject({ errorType: 'TypeError', errorMessage: 'broken' });
    expect(answer.trace[0]).toBe('TypeError: broken');
    expect((await messages('/aws/lambda/failing')).join('')).toContain(
      'ERROR\tInvoke Error \t{"errorType":"TypeError"',
    );
  });

  it.each([
    ['text', { errorType: 'string', errorMessage: 'plain text' }],
    ['exit', { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') }],
    ['rejection', { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'forgotten' }],
    [
      'hang',
      { errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') },
    ],
    [
      'wait',
      { errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') },
    ],
    ['memory', { errorType: 'Runtime.OutOfMemory', errorMessage: expect.stringContaining('signal: killed') }],
  ])('by %s says so, and the next invocation finds a new environment', async (kind, expected) => {
    // A slow machine needs more than a second to fill the memory.
    const name = kind === 'memory' ? 'greedy' : 'failing';
    const { answer, FunctionError } = await invoke(name, { kind });

    expect(FunctionError).toBe('Unhandled');
    expect(answer).toMatchObject(expected);
    expect((await invoke(name)).answer).toMatchObject({ errorMessage: 'broken' });
  });

  it.each([
    ['unloadable', 'Runtime.ImportModuleError', 'not-in-the-bundle'],
    ['misnamed', 'Runtime.HandlerNotFound', 'index.handler is undefined or not exported'],
  ])('to load (%s) fails every invocation with %s', async (name, errorType, text) => {
    const { answer } = await invoke(name);

    expect(answer.errorType).toBe(errorType);
    expect(answer.errorMessage).toContain(text);
  });
});

describe('the log', () => {
  it('has the lines of the platform and those of the function, one event per call of console', async () => {
    const { LogResult } = await invoke('talking', {}, { LogType: 'Tail' });

    const written = await messages('/aws/lambda/talking');
    expect(written).toEqual([
      expect.stringMatching(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST\n$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tINFO\thello you { a: 1 }\n$/),
      expect.stringMatching(/\tERROR\ttwo\nlines\n$/),
      '{"raw":true}\n',
      expect.stringMatching(/^END RequestId: /),
      expect.stringMatching(
        /^REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n$/,
      ),
    ]);
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toBe(written.join(''));
  });

  it('can be JSON, from a level on, in another group', async () => {
    await invoke('json');

    const written = (await messages('apart')).map((each) => JSON.parse(each));
    expect(written.map(({ type, level }) => type ?? level)).toEqual(['platform.start', 'WARN', 'platform.report']);
    expect(written[1]).toMatchObject({ message: 'loud', requestId: written[0].record.requestId });
  });

  it('is missing when the role may not write it; the function runs on, and the runtime names what is missing', async () => {
    expect((await invoke('silent')).FunctionError).toBeUndefined();
    await runtime.advance(0);

    await expect(messages('/aws/lambda/silent')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(runtime.output()).toMatch(/silent-role.*is not authorized to perform: logs:CreateLogStream/);
  });
});

describe('metrics', () => {
  const statistics = async (Namespace: string, MetricName: string, dimension: Record<string, string>) => {
    await runtime.advance(0);
    const cloudwatch = new CloudWatchClient(runtime.config);
    const now = (await invoke('time')).answer.now;
    const { Datapoints = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace,
        MetricName,
        Dimensions: Object.entries(dimension).map(([Name, Value]) => ({ Name, Value })),
        StartTime: new Date(now - 3_600_000),
        EndTime: new Date(now + 60_000),
        Period: 86_400,
        Statistics: ['Sum', 'SampleCount', 'Maximum'],
      }),
    );
    return Datapoints;
  };

  it('count invocations and errors of each function', async () => {
    await invoke('misnamed');
    await invoke('echo');

    expect(await statistics('AWS/Lambda', 'Errors', { FunctionName: 'echo' })).toMatchObject([{ Sum: 0 }]);
    const [errors] = await statistics('AWS/Lambda', 'Errors', { FunctionName: 'misnamed' });
    const [invocations] = await statistics('AWS/Lambda', 'Invocations', { FunctionName: 'misnamed' });
    expect(errors?.Sum).toBe(invocations?.Sum);
    expect(errors?.Sum).toBeGreaterThan(0);
  });

  it('come out of the log in the embedded metric format', async () => {
    await invoke('metrics');

    expect(await statistics('Farm', 'Eggs', { barn: 'north' })).toMatchObject([
      { Sum: 7, SampleCount: 2, Maximum: 4, Unit: 'Count' },
    ]);
  });
});

describe('concurrency', () => {
  it('of a reservation is a limit; what is beyond it is throttled', async () => {
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'slow', ReservedConcurrentExecutions: 1 }));

    const results = await Promise.allSettled([invoke('slow'), invoke('slow'), invoke('slow')]);

    const refused = results.filter((each) => each.status === 'rejected').map((each) => each.reason);
    expect(refused).toHaveLength(2);
    expect(refused[0]).toBeInstanceOf(TooManyRequestsException);
    expect(refused[0].Reason).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
  });

  it('runs one invocation at a time in an environment, and more than one environment', async () => {
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'slow' }));

    const answers = await Promise.all(Array.from({ length: 12 }, () => invoke('slow')));

    // Every environment counts its own calls.
    const counts = answers.map(({ answer }) => answer.calls as number);
    expect(new Set(counts).size).toBeLessThan(12);
  });
});

describe('functions', () => {
  it('are described and listed as AWS shows them', async () => {
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'environment' }));
    const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));

    expect(Configuration).toMatchObject({
      FunctionName: 'environment',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      MemorySize: 256,
      Timeout: 3,
      State: 'Active',
      Environment: { Variables: { COLOUR: 'blue' } },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/environment' },
    });
    expect(Functions.map(({ FunctionName }) => FunctionName)).toContain('echo');
  });
});
