import type { Kernel } from '../../../kernel/kernel.ts';

export type InvokeResult =
  | { readonly kind: 'returned'; readonly value: unknown }
  /** The function threw, or ended otherwise without a result. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'timed-out' };

interface InvokeOutput {
  readonly FunctionError?: string;
  readonly Payload?: Uint8Array;
}

/**
 * Invokes a function in the name of API Gateway; the function's own policy has to allow it for `sourceArn`. The limit is
 * virtual time, in milliseconds; the function goes on after it.
 *
 * @throws AwsError as Lambda answers it: access denied, throttled, too large
 */
export async function invokeFunction(
  kernel: Kernel,
  functionArn: string,
  sourceArn: string,
  event: unknown,
  timeoutMs: number,
): Promise<InvokeResult> {
  const caller = kernel.serviceCaller('apigateway.amazonaws.com', sourceArn);
  const input = { FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(event)) };
  const invoked = kernel.call<InvokeOutput>('lambda', 'Invoke', input, caller);
  // What happens after the limit is nobody's concern any more.
  invoked.catch(() => undefined);
  const { promise: limit, resolve: onLimit } = Promise.withResolvers<'timed-out'>();
  const timer = kernel.clock.after(timeoutMs, () => onLimit('timed-out'));
  try {
    const output = await Promise.race([invoked, limit]);
    if (output === 'timed-out') return { kind: 'timed-out' };
    const text = Buffer.from(output.Payload ?? 'null').toString('utf8');
    return output.FunctionError === undefined ? { kind: 'returned', value: JSON.parse(text) } : failed(text);
  } finally {
    timer.cancel();
  }
}

function failed(text: string): InvokeResult {
  const { errorMessage } = Object(JSON.parse(text)) as { readonly errorMessage?: unknown };
  return { kind: 'failed', message: String(errorMessage ?? 'the function failed') };
}
