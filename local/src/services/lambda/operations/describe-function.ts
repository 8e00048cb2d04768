import type {
  DeleteFunctionCommandInput,
  FunctionConfiguration as FunctionOutput,
  GetFunctionCommandInput,
  GetFunctionResponse,
  ListFunctionsCommandInput,
  ListFunctionsResponse,
} from '@aws-sdk/client-lambda';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Functions } from '../functions.ts';
import type { LambdaFunction } from '../lambda-function.ts';

/** A function as the API shows it. */
export function describeFunction({ arn, configuration, lastModified, revisionId }: LambdaFunction): FunctionOutput {
  const { logging } = configuration;
  return {
    FunctionName: configuration.name,
    FunctionArn: arn,
    // Both lists of names were checked when the function was made.
    Runtime: configuration.runtime as FunctionOutput['Runtime'],
    Role: configuration.roleArn,
    Handler: configuration.handler,
    CodeSize: configuration.codeBytes,
    Description: configuration.description,
    Timeout: configuration.timeoutSeconds,
    MemorySize: configuration.memoryMb,
    LastModified: new Date(lastModified).toISOString().replace('Z', '+0000'),
    CodeSha256: configuration.codeSha256,
    Version: '$LATEST',
    ...(configuration.deadLetterArn !== undefined && {
      DeadLetterConfig: { TargetArn: configuration.deadLetterArn },
    }),
    ...(Object.keys(configuration.environment).length > 0 && {
      Environment: { Variables: { ...configuration.environment } },
    }),
    TracingConfig: { Mode: configuration.tracingMode },
    RevisionId: revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [configuration.architecture],
    EphemeralStorage: { Size: configuration.ephemeralStorageMb },
    LoggingConfig: {
      LogFormat: logging.format,
      LogGroup: logging.group,
      ...(logging.format === 'JSON' && {
        ApplicationLogLevel: logging.applicationLogLevel,
        SystemLogLevel: logging.systemLogLevel as NonNullable<FunctionOutput['LoggingConfig']>['SystemLogLevel'],
      }),
    },
  };
}

/** GetFunction; its code has no location to be downloaded from. */
export function getFunction(functions: Functions): AnyOperation {
  return operation<GetFunctionCommandInput, GetFunctionResponse>({
    permissions: (input) => [functions.permission('GetFunction', input.FunctionName, input.Qualifier)],
    run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      return {
        Configuration: describeFunction(fn),
        Code: { RepositoryType: 'S3' },
        ...(fn.tags.size > 0 && { Tags: Object.fromEntries(fn.tags) }),
        ...(fn.reservedConcurrency !== undefined && {
          Concurrency: { ReservedConcurrentExecutions: fn.reservedConcurrency },
        }),
      };
    },
  });
}

export function getFunctionConfiguration(functions: Functions): AnyOperation {
  return operation<GetFunctionCommandInput, FunctionOutput>({
    permissions: (input) => [functions.permission('GetFunctionConfiguration', input.FunctionName, input.Qualifier)],
    run: (input) => describeFunction(functions.get(input.FunctionName, input.Qualifier)),
  });
}

/** ListFunctions, 50 to a page; the marker is the name of the last function given. */
export function listFunctions(functions: Functions): AnyOperation {
  return operation<ListFunctionsCommandInput, ListFunctionsResponse>({
    permissions: () => [{ action: 'lambda:ListFunctions', resource: '*' }],
    run(input) {
      const rest = functions.all
        .filter(({ configuration: { name } }) => name > (input.Marker ?? ''))
        .toSorted((a, b) => (a.configuration.name < b.configuration.name ? -1 : 1));
      const page = rest.slice(0, Math.min(input.MaxItems ?? 50, 50));
      return {
        Functions: page.map(describeFunction),
        ...(page.length < rest.length && { NextMarker: page.at(-1)?.configuration.name }),
      };
    },
  });
}

/** DeleteFunction; `onDelete` ends what the function still runs. */
export function deleteFunction(functions: Functions, onDelete: (fn: LambdaFunction) => Promise<void>): AnyOperation {
  return operation<DeleteFunctionCommandInput, Record<string, never>>({
    permissions: (input) => [functions.permission('DeleteFunction', input.FunctionName, input.Qualifier)],
    async run(input) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      functions.remove(fn);
      await onDelete(fn);
      return {};
    },
  });
}
