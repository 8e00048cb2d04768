import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CreateFunctionCommandInput, FunctionConfiguration as FunctionOutput } from '@aws-sdk/client-lambda';
import { passRolePermission } from '../../../iam/pass-role.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { internalOperation } from '../../internal-operation.ts';
import { checkDestination, requireDestination } from '../destinations.ts';
import { checkVariables } from '../environment-variables.ts';
import { conflict, invalidValue, notEmulatedMember } from '../errors.ts';
import type { Functions } from '../functions.ts';
import { type FunctionConfiguration, LambdaFunction, type LoggingSettings } from '../lambda-function.ts';
import type { LogLevel } from '../runtime/messages.ts';
import { describeFunction } from './describe-function.ts';

const RUNTIMES = ['nodejs22.x', 'nodejs24.x'];
const LOG_LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const MAX_UNPACKED_BYTES = 250 * 1024 * 1024;

/** AWS's input; the deployment gives the code as a folder or as text instead of a zip file. */
export interface CreateFunctionInput extends Omit<CreateFunctionCommandInput, 'Code'> {
  readonly Code:
    | NonNullable<CreateFunctionCommandInput['Code']>
    | { readonly LocalFolder: string }
    | { readonly InlineSource: string }
    | undefined;
}

/**
 * CreateFunction for Node.js functions of the deployment; code that comes over the wire is refused by name.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
 */
export function createFunction(functions: Functions): AnyOperation {
  return operation<CreateFunctionInput, FunctionOutput>({
    permissions: (input) => [
      { action: 'lambda:CreateFunction', resource: functions.kernel.arn('lambda', `function:${input.FunctionName}`) },
      passRolePermission(String(input.Role), 'lambda.amazonaws.com'),
    ],
    run(input, { caller }) {
      const name = input.FunctionName ?? '';
      if (!/^[\w-]{1,64}$/.test(name)) {
        throw invalidValue(`FunctionName "${name}" must be 1 to 64 letters, digits, hyphens and underscores.`);
      }
      if (functions.has(name)) throw conflict(`Function already exist: ${name}`);
      refuseUnknown(input);
      const source = caller.kind === 'deployment' ? sourceOf(input.Code) : undefined;
      if (!source) {
        throw notEmulatedMember('CreateFunction', 'Code', 'functions come from a cloud assembly, as folders or inline');
      }
      const settings = read(input, name);
      const taskRoot = functions.unpack(name, source);
      const fn = new LambdaFunction(functions.kernel, { ...settings, taskRoot, ...measure(taskRoot) });
      checkRole(functions, fn);
      for (const [key, value] of Object.entries(input.Tags ?? {})) fn.tags.set(key, value);
      functions.add(fn);
      return describeFunction(fn);
    },
  });
}

/**
 * Gives a function other code and another configuration, as a deployment does with UpdateFunctionCode and
 * UpdateFunctionConfiguration, which are not emulated: code that comes over the wire is not run.
 */
export function changeFunction(functions: Functions, onChange: (fn: LambdaFunction) => Promise<void>): AnyOperation {
  return internalOperation<CreateFunctionInput, void>('lambda', 'ChangeFunction', async (input) => {
    const fn = functions.get(input.FunctionName);
    const source = sourceOf(input.Code);
    if (!source) throw notEmulatedMember('ChangeFunction', 'Code', 'functions come from a cloud assembly');
    refuseUnknown(input);
    const { name } = fn.configuration;
    const settings = read(input, name);
    const taskRoot = functions.unpack(name, source);
    const before = fn.configuration;
    fn.configure({ ...settings, taskRoot, ...measure(taskRoot) });
    try {
      checkRole(functions, fn);
    } catch (error) {
      fn.configure(before);
      throw error;
    }
    fn.tags.clear();
    for (const [key, value] of Object.entries(input.Tags ?? {})) fn.tags.set(key, value);
    await onChange(fn);
  });
}

function refuseUnknown(input: CreateFunctionInput): void {
  for (const member of [
    'CapacityProviderConfig',
    'CodeSigningConfigArn',
    'DurableConfig',
    'FileSystemConfigs',
    'ImageConfig',
    'KMSKeyArn',
    'Layers',
    'SnapStart',
    'VpcConfig',
  ] as const) {
    if (input[member] !== undefined) throw notEmulatedMember('CreateFunction', member, 'leave it out');
  }
  if (input.PackageType === 'Image') throw notEmulatedMember('CreateFunction', 'PackageType Image', 'use Zip');
}

function sourceOf(code: CreateFunctionInput['Code']): { folder: string } | { text: string } | undefined {
  if (code && 'LocalFolder' in code) {
    if (!statSync(code.LocalFolder).isDirectory()) {
      throw notEmulatedMember('CreateFunction', `the asset ${code.LocalFolder}, a file`, 'use a folder');
    }
    return { folder: code.LocalFolder };
  }
  return code && 'InlineSource' in code ? { text: code.InlineSource } : undefined;
}

function read(
  input: CreateFunctionInput,
  name: string,
): Omit<FunctionConfiguration, 'taskRoot' | 'codeSha256' | 'codeBytes'> {
  const { Runtime = '', Handler, Role, Timeout = 3, MemorySize = 128 } = input;
  if (!RUNTIMES.includes(Runtime)) {
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate the Lambda runtime ${Runtime}; it runs ${RUNTIMES.join(' and ')}.`,
      501,
    );
  }
  if (!Handler) throw invalidValue('Handler is missing: <file>.<export>.');
  if (!Role) throw invalidValue('Role is missing: the ARN of the execution role.');
  const ephemeralStorageMb = input.EphemeralStorage?.Size ?? 512;
  const { DeadLetterConfig } = input;
  return {
    name,
    description: input.Description ?? '',
    runtime: Runtime,
    handler: Handler,
    roleArn: Role,
    timeoutSeconds: inRange('Timeout', Timeout, 1, 900),
    memoryMb: inRange('MemorySize', MemorySize, 128, 10_240),
    ephemeralStorageMb: inRange('EphemeralStorage.Size', ephemeralStorageMb, 512, 10_240),
    environment: checkVariables(input.Environment?.Variables ?? {}),
    architecture: input.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64',
    deadLetterArn: DeadLetterConfig?.TargetArn
      ? checkDestination(DeadLetterConfig.TargetArn, 'CreateFunction', ['sqs', 'sns'])
      : undefined,
    tracingMode: input.TracingConfig?.Mode === 'Active' ? 'Active' : 'PassThrough',
    logging: readLogging(input.LoggingConfig, name),
  };
}

function readLogging(config: CreateFunctionCommandInput['LoggingConfig'], name: string): LoggingSettings {
  const { LogFormat = 'Text', LogGroup, ApplicationLogLevel = 'INFO', SystemLogLevel = 'INFO' } = config ?? {};
  if (LogFormat !== 'Text' && LogFormat !== 'JSON')
    throw invalidValue(`LogFormat is ${LogFormat}; it is Text or JSON.`);
  const level = (value: string): LogLevel => {
    const known = LOG_LEVELS.find((each) => each === value);
    if (!known) throw invalidValue(`The log level ${value} is not one of ${LOG_LEVELS.join(', ')}.`);
    return known;
  };
  return {
    format: LogFormat,
    group: LogGroup ?? `/aws/lambda/${name}`,
    applicationLogLevel: level(ApplicationLogLevel),
    systemLogLevel: level(SystemLogLevel),
  };
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidValue(`${name} is ${value}; it is a whole number from ${min} to ${max}.`);
}

/** @throws AwsError InvalidParameterValueException for a role that Lambda cannot take, or that may not write to the dead-letter queue */
function checkRole({ kernel }: Functions, fn: LambdaFunction): void {
  let role: Caller;
  try {
    role = fn.assumeRole();
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
    throw invalidValue(`The role defined for the function cannot be assumed by Lambda. ${cause.message}`);
  }
  requireDestination(kernel, role, fn.configuration.deadLetterArn);
}

function measure(folder: string): { codeSha256: string; codeBytes: number } {
  const hash = createHash('sha256');
  let codeBytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = path.join(folder, name);
    if (!statSync(file).isFile()) continue;
    const content = readFileSync(file);
    hash.update(name).update(content);
    codeBytes += content.length;
  }
  if (codeBytes > MAX_UNPACKED_BYTES) {
    throw invalidValue(`Unzipped size must be smaller than ${MAX_UNPACKED_BYTES} bytes; it is ${codeBytes}.`);
  }
  return { codeSha256: hash.digest('base64'), codeBytes };
}
