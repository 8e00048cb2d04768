/** Delivery policies of topics and subscriptions: https://docs.aws.amazon.com/sns/latest/dg/creating-delivery-policy.html */
import { AwsError } from '../../kernel/errors.ts';
import { invalidParameter } from './errors.ts';
import { HTTP_RETRIES, type RetryPolicy, totalDelay } from './retry-policy.ts';

export interface DeliveryPolicy {
  readonly retries: RetryPolicy;
  readonly contentType: string;
}

/** The part of a policy that was given. */
export type GivenPolicy = Partial<DeliveryPolicy> & { readonly disableSubscriptionOverrides?: boolean };

const CONTENT_TYPE = 'text/plain; charset=UTF-8';
/** The types that SNS takes (creating-delivery-policy). */
const CONTENT_TYPES = /^(application|text)\/[\w.+-]+(; ?charset=utf-8)?$/i;
const MAX_DELAY_SECONDS = 3600;
const MAX_RETRIES = 100;
const BACKOFF_FUNCTIONS: readonly string[] = ['arithmetic', 'exponential', 'geometric', 'linear'];

/** The policy in effect for a subscription. */
export function effectivePolicy(topic: GivenPolicy | undefined, subscription: GivenPolicy | undefined): DeliveryPolicy {
  const own = topic?.disableSubscriptionOverrides ? undefined : subscription;
  return {
    retries: own?.retries ?? topic?.retries ?? HTTP_RETRIES,
    contentType: own?.contentType ?? topic?.contentType ?? CONTENT_TYPE,
  };
}

/** The DeliveryPolicy of a topic, JSON `{"http": {...}}`. Throws InvalidParameter. */
export function readTopicPolicy(text: string): GivenPolicy {
  const { http, ...others } = objectIn(text);
  refuseOthers(others, 'http');
  const given = Object(http) as Record<string, unknown>;
  const { defaultHealthyRetryPolicy, disableSubscriptionOverrides, defaultRequestPolicy, ...rest } = given;
  refuseOthers(rest, 'http.defaultHealthyRetryPolicy, disableSubscriptionOverrides, defaultRequestPolicy');
  return {
    ...readParts(defaultHealthyRetryPolicy, defaultRequestPolicy),
    disableSubscriptionOverrides: disableSubscriptionOverrides === true,
  };
}

/** The DeliveryPolicy of a subscription, JSON `{"healthyRetryPolicy": {...}}`. Throws InvalidParameter. */
export function readSubscriptionPolicy(text: string): GivenPolicy {
  const { healthyRetryPolicy, requestPolicy, guaranteed, ...others } = objectIn(text);
  refuseOthers(others, 'healthyRetryPolicy, requestPolicy');
  return readParts(healthyRetryPolicy, requestPolicy);
}

/** As GetSubscriptionAttributes shows it. */
export function shownPolicy({ retries, contentType }: DeliveryPolicy): string {
  return JSON.stringify({
    healthyRetryPolicy: retries,
    sicklyRetryPolicy: null,
    throttlePolicy: null,
    requestPolicy: { headerContentType: contentType },
    guaranteed: false,
  });
}

function readParts(retry: unknown, request: unknown): GivenPolicy {
  const { headerContentType } = Object(request) as { headerContentType?: unknown };
  if (headerContentType !== undefined && !CONTENT_TYPES.test(String(headerContentType))) {
    throw invalidParameter(`DeliveryPolicy: headerContentType ${String(headerContentType)}`);
  }
  return {
    ...(retry !== undefined && retry !== null && { retries: readRetries(Object(retry)) }),
    ...(headerContentType !== undefined && { contentType: String(headerContentType) }),
  };
}

function readRetries(given: Readonly<Record<string, unknown>>): RetryPolicy {
  const count = (name: keyof RetryPolicy, least: number, most: number, fallback: number): number => {
    const value = given[name] ?? fallback;
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw invalidParameter(`DeliveryPolicy: ${name} must be an integer from ${least} to ${most}`);
  };
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(HTTP_RETRIES, name));
  if (unknown.length > 0) throw invalidParameter(`DeliveryPolicy: unexpected JSON member: ${unknown.join(', ')}`);
  const minDelayTarget = count('minDelayTarget', 1, MAX_DELAY_SECONDS, HTTP_RETRIES.minDelayTarget);
  const backoffFunction = String(given.backoffFunction ?? HTTP_RETRIES.backoffFunction);
  if (!BACKOFF_FUNCTIONS.includes(backoffFunction)) {
    throw invalidParameter(`DeliveryPolicy: backoffFunction must be ${BACKOFF_FUNCTIONS.join(', ')}`);
  }
  const policy: RetryPolicy = {
    minDelayTarget,
    maxDelayTarget: count('maxDelayTarget', minDelayTarget, MAX_DELAY_SECONDS, Math.max(minDelayTarget, 20)),
    numRetries: count('numRetries', 0, MAX_RETRIES, HTTP_RETRIES.numRetries),
    numNoDelayRetries: count('numNoDelayRetries', 0, MAX_RETRIES, 0),
    numMinDelayRetries: count('numMinDelayRetries', 0, MAX_RETRIES, 0),
    numMaxDelayRetries: count('numMaxDelayRetries', 0, MAX_RETRIES, 0),
    backoffFunction: backoffFunction as RetryPolicy['backoffFunction'],
  };
  const { numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries, numRetries } = policy;
  if (numNoDelayRetries + numMinDelayRetries + numMaxDelayRetries > numRetries) {
    throw invalidParameter('DeliveryPolicy: numRetries must be at least the sum of the retries of all phases');
  }
  if (totalDelay(policy) > MAX_DELAY_SECONDS) {
    throw invalidParameter(`DeliveryPolicy: all retries together take more than ${MAX_DELAY_SECONDS} seconds`);
  }
  return policy;
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below.
  }
  throw invalidParameter('DeliveryPolicy: failed to parse JSON');
}

/** Members that are null say nothing; throttle policies are not emulated. */
function refuseOthers(others: Readonly<Record<string, unknown>>, known: string): void {
  for (const [name, value] of Object.entries(others)) {
    if (value === null) continue;
    if (/throttlePolicy$/i.test(name)) {
      throw new AwsError('NotEmulated', `The local runtime does not emulate ${name} of a delivery policy.`, 501);
    }
    throw invalidParameter(`DeliveryPolicy: unexpected JSON member: ${name}; there are ${known}`);
  }
}
