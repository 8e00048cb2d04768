/** When a delivery is tried again: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html */

export type BackoffFunction = 'arithmetic' | 'exponential' | 'geometric' | 'linear';

/** Four phases, one after the other. Delays in seconds. */
export interface RetryPolicy {
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly minDelayTarget: number;
  /** All retries; what the other phases leave is the backoff phase. */
  readonly numRetries: number;
  readonly backoffFunction: BackoffFunction;
  readonly numMaxDelayRetries: number;
  readonly maxDelayTarget: number;
}

/** To queues and functions: 100 015 attempts over 23 days. */
export const AWS_ENDPOINT_RETRIES: RetryPolicy = {
  numNoDelayRetries: 3,
  numMinDelayRetries: 2,
  minDelayTarget: 1,
  numRetries: 100_015,
  backoffFunction: 'exponential',
  numMaxDelayRetries: 100_000,
  maxDelayTarget: 20,
};

/** To HTTP endpoints, unless a delivery policy says otherwise. */
export const HTTP_RETRIES: RetryPolicy = {
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  minDelayTarget: 20,
  numRetries: 3,
  backoffFunction: 'linear',
  numMaxDelayRetries: 0,
  maxDelayTarget: 20,
};

/** The wait before the `retry`-th retry, from 1, in seconds; undefined when there is none left. */
export function delayBefore(retry: number, policy: RetryPolicy): number | undefined {
  const { numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries, numRetries } = policy;
  if (retry > numRetries) return undefined;
  if (retry <= numNoDelayRetries) return 0;
  if (retry <= numNoDelayRetries + numMinDelayRetries) return policy.minDelayTarget;
  const backoffRetries = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries;
  const step = retry - numNoDelayRetries - numMinDelayRetries;
  return step > backoffRetries ? policy.maxDelayTarget : backoff(step - 1, backoffRetries - 1, policy);
}

/** AWS shows the functions as a graph without formulas: all go from the least to the greatest delay, more and more steeply. */
function backoff(step: number, last: number, policy: RetryPolicy): number {
  const { minDelayTarget: min, maxDelayTarget: max } = policy;
  if (last <= 0) return min;
  switch (policy.backoffFunction) {
    case 'linear':
      return min + ((max - min) * step) / last;
    case 'arithmetic':
      return min + ((max - min) * step * (step + 1)) / (last * (last + 1));
    case 'geometric':
      return min * (max / min) ** (step / last);
    case 'exponential':
      return Math.min(max, min + ((max - min) * (2 ** (step - last) - 2 ** -last)) / (1 - 2 ** -last));
  }
}

/** All waits together, in seconds. */
export function totalDelay(policy: RetryPolicy): number {
  let seconds = 0;
  for (let retry = 1; retry <= policy.numRetries; retry += 1) seconds += delayBefore(retry, policy) ?? 0;
  return seconds;
}
