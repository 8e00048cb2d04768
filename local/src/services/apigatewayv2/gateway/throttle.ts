import type { Stage } from '../types.ts';

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** The account's limits, where a stage or route sets only one of the two. */
const ACCOUNT_RATE = 10_000;
const ACCOUNT_BURST = 5000;

/**
 * A token bucket for each route of a stage that has limits, on virtual time
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html).
 */
export class Throttle {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes a token; false when there is none. `now` is virtual time, epoch milliseconds. */
  admits(apiId: string, stage: Stage, routeKey: string, now: number): boolean {
    const { throttlingBurstLimit, throttlingRateLimit } = {
      ...definedOnly(stage.defaultRouteSettings),
      ...definedOnly(Object.hasOwn(stage.routeSettings, routeKey) ? stage.routeSettings[routeKey] : undefined),
    };
    if (throttlingBurstLimit === undefined && throttlingRateLimit === undefined) return true;
    const burst = throttlingBurstLimit ?? ACCOUNT_BURST;
    const rate = throttlingRateLimit ?? ACCOUNT_RATE;
    const key = JSON.stringify([apiId, stage.stageName, routeKey]);
    const bucket = this.#buckets.get(key) ?? { tokens: burst, filledAt: now };
    this.#buckets.set(key, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * rate);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** A route's own settings replace those of the stage one by one. */
function definedOnly(settings: Stage['defaultRouteSettings']): Partial<NonNullable<Stage['defaultRouteSettings']>> {
  return Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));
}
