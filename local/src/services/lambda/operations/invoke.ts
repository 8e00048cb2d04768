import { randomUUID } from 'node:crypto';
import type { InvokeCommandInput } from '@aws-sdk/client-lambda';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { AsyncInvocations } from '../async-invocations.ts';
import { invalidValue } from '../errors.ts';
import type { Functions } from '../functions.ts';
import type { Invoker } from '../invoker.ts';
import { newTraceId } from '../trace-id.ts';

const MAX_SYNCHRONOUS_BYTES = 6 * 1024 * 1024;
const MAX_ASYNCHRONOUS_BYTES = 1024 * 1024;
const MAX_TAIL_BYTES = 4096;

/** AWS's input; the payload is what came in the body. */
export interface InvokeInput extends Omit<InvokeCommandInput, 'Payload'> {
  readonly Payload?: Uint8Array | undefined;
}

/** What Invoke answers; `Payload` is the body on the wire. */
export interface InvokeOutput {
  readonly StatusCode: number;
  readonly ExecutedVersion?: string;
  readonly FunctionError?: string;
  readonly LogResult?: string;
  readonly Payload?: Buffer;
}

/** Invoke: RequestResponse, Event and DryRun. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
export function invoke(functions: Functions, invoker: Invoker, asyncInvocations: AsyncInvocations): AnyOperation {
  return operation<InvokeInput, InvokeOutput>({
    permissions: (input) => [functions.permission('InvokeFunction', input.FunctionName, input.Qualifier)],
    async run(input, { requestId }) {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      const type = input.InvocationType ?? 'RequestResponse';
      const payload = readPayload(input.Payload, type);
      if (type === 'DryRun') return { StatusCode: 204 };
      const request = {
        requestId: requestId || randomUUID(),
        payload,
        clientContext: input.ClientContext && Buffer.from(input.ClientContext, 'base64').toString('utf8'),
        traceId: newTraceId(functions.kernel.clock.now()),
      };
      if (type === 'Event') {
        asyncInvocations.enqueue(fn, request);
        return { StatusCode: 202 };
      }
      const result = await invoker.invoke(fn, request);
      const answer = Buffer.from(result.payload);
      const tooLarge = answer.length > MAX_SYNCHRONOUS_BYTES;
      return {
        StatusCode: 200,
        ExecutedVersion: '$LATEST',
        ...((result.failed || tooLarge) && { FunctionError: 'Unhandled' }),
        ...(input.LogType === 'Tail' && { LogResult: tail(result.tail) }),
        Payload: tooLarge ? responseTooLarge(answer.length) : answer,
      };
    },
  });
}

function readPayload(payload: Uint8Array | undefined, type: string): string {
  if (type !== 'RequestResponse' && type !== 'Event' && type !== 'DryRun') {
    throw invalidValue(`InvocationType is ${type}; it is RequestResponse, Event or DryRun.`);
  }
  if (payload === undefined || payload.length === 0) return '{}';
  const limit = type === 'Event' ? MAX_ASYNCHRONOUS_BYTES : MAX_SYNCHRONOUS_BYTES;
  if (payload.length > limit) {
    throw new AwsError(
      'RequestTooLargeException',
      `Request must be smaller than ${limit} bytes for the InvokeFunction operation`,
      413,
    );
  }
  const text = Buffer.from(payload).toString('utf8');
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(cause as Error).message}`,
      400,
      { Type: 'User' },
    );
  }
  return text;
}

function tail(text: string): string {
  return Buffer.from(text).subarray(-MAX_TAIL_BYTES).toString('base64');
}

function responseTooLarge(bytes: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${MAX_SYNCHRONOUS_BYTES} bytes).`,
    }),
  );
}
