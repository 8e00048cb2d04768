import { type Route, restJsonProtocol, route } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { AsyncInvocations } from './async-invocations.ts';
import { Concurrency } from './concurrency.ts';
import { EnvironmentPool } from './environment-pool.ts';
import { EventSourceMappings } from './event-sources/event-source-mappings.ts';
import { Functions } from './functions.ts';
import { Invoker } from './invoker.ts';
import type { KeptFunction } from './lambda-function.ts';
import { changeFunction, createFunction } from './operations/create-function.ts';
import {
  deleteFunction,
  getFunction,
  getFunctionConfiguration,
  listFunctions,
} from './operations/describe-function.ts';
import {
  createEventSourceMapping,
  deleteEventSourceMapping,
  getEventSourceMapping,
  listEventSourceMappings,
  updateEventSourceMapping,
} from './operations/event-source-mappings.ts';
import {
  deleteFunctionConcurrency,
  getFunctionConcurrency,
  getFunctionEventInvokeConfig,
  putFunctionConcurrency,
  putFunctionEventInvokeConfig,
} from './operations/function-settings.ts';
import { invoke } from './operations/invoke.ts';
import { addPermission, getPolicy, removePermission } from './operations/permissions.ts';

const FUNCTIONS = '/2015-03-31/functions';
const MAPPINGS = '/2015-03-31/event-source-mappings';
const QUALIFIER = { Qualifier: 'Qualifier' };

const ROUTES: readonly Route[] = [
  route('POST', FUNCTIONS, 'CreateFunction', { response: { status: 201 } }),
  route('GET', FUNCTIONS, 'ListFunctions', { query: { Marker: 'Marker', MaxItems: 'MaxItems' } }),
  route('GET', `${FUNCTIONS}/{FunctionName}`, 'GetFunction', { query: QUALIFIER }),
  route('DELETE', `${FUNCTIONS}/{FunctionName}`, 'DeleteFunction', { query: QUALIFIER, response: { status: 204 } }),
  route('GET', `${FUNCTIONS}/{FunctionName}/configuration`, 'GetFunctionConfiguration', { query: QUALIFIER }),
  route('POST', `${FUNCTIONS}/{FunctionName}/invocations`, 'Invoke', {
    query: QUALIFIER,
    headers: {
      ClientContext: 'X-Amz-Client-Context',
      InvocationType: 'X-Amz-Invocation-Type',
      LogType: 'X-Amz-Log-Type',
    },
    payload: 'Payload',
    response: {
      statusMember: 'StatusCode',
      payload: 'Payload',
      headers: {
        ExecutedVersion: 'X-Amz-Executed-Version',
        FunctionError: 'X-Amz-Function-Error',
        LogResult: 'X-Amz-Log-Result',
      },
    },
  }),
  route('POST', `${FUNCTIONS}/{FunctionName}/policy`, 'AddPermission', { query: QUALIFIER, response: { status: 201 } }),
  route('GET', `${FUNCTIONS}/{FunctionName}/policy`, 'GetPolicy', { query: QUALIFIER }),
  route('DELETE', `${FUNCTIONS}/{FunctionName}/policy/{StatementId}`, 'RemovePermission', {
    query: QUALIFIER,
    response: { status: 204 },
  }),
  route('PUT', '/2017-10-31/functions/{FunctionName}/concurrency', 'PutFunctionConcurrency'),
  route('GET', '/2019-09-30/functions/{FunctionName}/concurrency', 'GetFunctionConcurrency'),
  route('DELETE', '/2017-10-31/functions/{FunctionName}/concurrency', 'DeleteFunctionConcurrency', {
    response: { status: 204 },
  }),
  route('PUT', '/2019-09-25/functions/{FunctionName}/event-invoke-config', 'PutFunctionEventInvokeConfig', {
    query: QUALIFIER,
  }),
  route('GET', '/2019-09-25/functions/{FunctionName}/event-invoke-config', 'GetFunctionEventInvokeConfig', {
    query: QUALIFIER,
  }),
  route('POST', MAPPINGS, 'CreateEventSourceMapping', { response: { status: 202 } }),
  route('GET', MAPPINGS, 'ListEventSourceMappings', {
    query: { EventSourceArn: 'EventSourceArn', FunctionName: 'FunctionName', Marker: 'Marker', MaxItems: 'MaxItems' },
  }),
  route('GET', `${MAPPINGS}/{UUID}`, 'GetEventSourceMapping'),
  route('PUT', `${MAPPINGS}/{UUID}`, 'UpdateEventSourceMapping', { response: { status: 202 } }),
  route('DELETE', `${MAPPINGS}/{UUID}`, 'DeleteEventSourceMapping', { response: { status: 202 } }),
];

/** AWS Lambda: runs the bundles of a cloud assembly, each environment in a thread of its own. */
export function createLambdaService(kernel: Kernel): Service {
  const functions = new Functions(kernel);
  const pool = new EnvironmentPool(kernel);
  const concurrency = new Concurrency();
  const invoker = new Invoker(kernel, pool, concurrency);
  const asyncInvocations = new AsyncInvocations(kernel, invoker, concurrency);
  const mappings = new EventSourceMappings(kernel, invoker);
  return {
    name: 'lambda',
    signingNames: ['lambda'],
    protocols: [
      restJsonProtocol(ROUTES, {
        inputTypes: {
          CreateEventSourceMapping: { StartingPositionTimestamp: 'timestamp' },
          ListFunctions: { MaxItems: 'number' },
        },
      }),
    ],
    operations: {
      AddPermission: addPermission(functions),
      ChangeFunction: changeFunction(functions, (fn) => pool.drop(fn)),
      CreateEventSourceMapping: createEventSourceMapping(functions, mappings),
      CreateFunction: createFunction(functions),
      DeleteEventSourceMapping: deleteEventSourceMapping(mappings),
      DeleteFunction: deleteFunction(functions, async (fn) => {
        mappings.stop(fn);
        asyncInvocations.drop(fn);
        concurrency.reserve(fn, undefined);
        await pool.drop(fn);
      }),
      DeleteFunctionConcurrency: deleteFunctionConcurrency(functions, concurrency),
      GetEventSourceMapping: getEventSourceMapping(mappings),
      GetFunction: getFunction(functions),
      GetFunctionConcurrency: getFunctionConcurrency(functions),
      GetFunctionConfiguration: getFunctionConfiguration(functions),
      GetFunctionEventInvokeConfig: getFunctionEventInvokeConfig(functions),
      GetPolicy: getPolicy(functions),
      Invoke: invoke(functions, invoker, asyncInvocations),
      ListEventSourceMappings: listEventSourceMappings(functions, mappings),
      ListFunctions: listFunctions(functions),
      PutFunctionConcurrency: putFunctionConcurrency(functions, concurrency),
      PutFunctionEventInvokeConfig: putFunctionEventInvokeConfig(functions),
      RemovePermission: removePermission(functions),
      UpdateEventSourceMapping: updateEventSourceMapping(mappings),
    },
    state: {
      *save() {
        yield* functions.save();
        yield* asyncInvocations.save();
        yield* mappings.save();
      },
      restore(records) {
        functions.restore(records);
        for (const { configuration, reservedConcurrency } of records.all<KeptFunction>('function/')) {
          concurrency.reserve(functions.get(configuration.name), reservedConcurrency);
        }
        asyncInvocations.restore(records, (name) => functions.get(name));
        mappings.restore(records, (name) => functions.get(name));
      },
      async resume() {
        asyncInvocations.resume();
        await mappings.resume();
      },
    },
    close: async () => {
      mappings.stop();
      await pool.close();
      functions.close();
    },
  };
}
