import type {
  DeleteFunctionConcurrencyCommandInput,
  FunctionEventInvokeConfig,
  GetFunctionConcurrencyCommandInput,
  GetFunctionConcurrencyResponse,
  GetFunctionEventInvokeConfigCommandInput,
  PutFunctionConcurrencyCommandInput,
  PutFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Concurrency } from '../concurrency.ts';
import { checkDestination, type DestinationKind, requireDestination } from '../destinations.ts';
import { invalidValue, resourceNotFound } from '../errors.ts';
import type { Functions } from '../functions.ts';
import { DEFAULT_EVENT_INVOKE_SETTINGS, type EventInvokeSettings, type LambdaFunction } from '../lambda-function.ts';

const DESTINATIONS: readonly DestinationKind[] = ['sqs', 'sns', 'lambda', 'events'];

export function putFunctionConcurrency(functions: Functions, concurrency: Concurrency): AnyOperation {
  return operation<PutFunctionConcurrencyCommandInput, GetFunctionConcurrencyResponse>({
    permissions: (input) => [functions.permission('PutFunctionConcurrency', input.FunctionName)],
    run(input) {
      const fn = functions.get(input.FunctionName);
      const ReservedConcurrentExecutions = input.ReservedConcurrentExecutions ?? -1;
      concurrency.reserve(fn, ReservedConcurrentExecutions);
      return { ReservedConcurrentExecutions };
    },
  });
}

export function getFunctionConcurrency(functions: Functions): AnyOperation {
  return operation<GetFunctionConcurrencyCommandInput, GetFunctionConcurrencyResponse>({
    permissions: (input) => [functions.permission('GetFunctionConcurrency', input.FunctionName)],
    run(input) {
      const { reservedConcurrency } = functions.get(input.FunctionName);
      return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
    },
  });
}

export function deleteFunctionConcurrency(functions: Functions, concurrency: Concurrency): AnyOperation {
  return operation<DeleteFunctionConcurrencyCommandInput, Record<string, never>>({
    permissions: (input) => [functions.permission('DeleteFunctionConcurrency', input.FunctionName)],
    run(input) {
      concurrency.reserve(functions.get(input.FunctionName), undefined);
      return {};
    },
  });
}

/** PutFunctionEventInvokeConfig: retries, age and destinations of asynchronous invocations. */
export function putFunctionEventInvokeConfig(functions: Functions): AnyOperation {
  return operation<PutFunctionEventInvokeConfigCommandInput, FunctionEventInvokeConfig>({
    permissions: (input) => [functions.permission('PutFunctionEventInvokeConfig', input.FunctionName, input.Qualifier)],
    run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = input;
      const { OnSuccess, OnFailure } = DestinationConfig ?? {};
      const [onSuccess, onFailure] = [OnSuccess, OnFailure].map((each) => {
        const arn = each?.Destination;
        if (!arn) return undefined;
        checkDestination(arn, 'PutFunctionEventInvokeConfig', DESTINATIONS);
        requireDestination(functions.kernel, fn.assumeRole(), arn);
        return arn;
      });
      const { maximumRetryAttempts, maximumEventAgeSeconds } = DEFAULT_EVENT_INVOKE_SETTINGS;
      fn.eventInvoke = {
        maximumRetryAttempts: inRange('MaximumRetryAttempts', MaximumRetryAttempts ?? maximumRetryAttempts, 0, 2),
        maximumEventAgeSeconds: inRange(
          'MaximumEventAgeInSeconds',
          MaximumEventAgeInSeconds ?? maximumEventAgeSeconds,
          60,
          21_600,
        ),
        onSuccess,
        onFailure,
        lastModified: functions.kernel.clock.now(),
      };
      return describe(fn, fn.eventInvoke);
    },
  });
}

export function getFunctionEventInvokeConfig(functions: Functions): AnyOperation {
  return operation<GetFunctionEventInvokeConfigCommandInput, FunctionEventInvokeConfig>({
    permissions: (input) => [functions.permission('GetFunctionEventInvokeConfig', input.FunctionName, input.Qualifier)],
    run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      if (!fn.eventInvoke) {
        throw resourceNotFound(`The function ${fn.arn}:$LATEST doesn't have an EventInvokeConfig`);
      }
      return describe(fn, fn.eventInvoke);
    },
  });
}

function describe(fn: LambdaFunction, settings: EventInvokeSettings): FunctionEventInvokeConfig {
  return {
    FunctionArn: `${fn.arn}:$LATEST`,
    LastModified: new Date(settings.lastModified),
    MaximumRetryAttempts: settings.maximumRetryAttempts,
    MaximumEventAgeInSeconds: settings.maximumEventAgeSeconds,
    DestinationConfig: {
      OnSuccess: settings.onSuccess === undefined ? {} : { Destination: settings.onSuccess },
      OnFailure: settings.onFailure === undefined ? {} : { Destination: settings.onFailure },
    },
  };
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidValue(`${name} is ${value}; it is a whole number from ${min} to ${max}.`);
}
