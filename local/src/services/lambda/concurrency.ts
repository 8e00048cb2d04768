import { invalidValue, throttled } from './errors.ts';
import type { LambdaFunction } from './lambda-function.ts';

/** The default quota of an account: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ACCOUNT_LIMIT = 1000;
/** What reservations must leave to all other functions. */
const LEAST_UNRESERVED = 100;

/** How many invocations run at a time, of each function and of the account. */
export class Concurrency {
  readonly #running = new Map<LambdaFunction, number>();
  #reserved = 0;
  #unreservedRunning = 0;
  /** Called whenever an invocation has ended. */
  onRelease: () => void = () => {};

  get unreservedLimit(): number {
    return ACCOUNT_LIMIT - this.#reserved;
  }

  running(fn: LambdaFunction): number {
    return this.#running.get(fn) ?? 0;
  }

  /** Sets or takes away the reservation of a function. Throws when less than 100 would be left to the others. */
  reserve(fn: LambdaFunction, amount: number | undefined): void {
    if (amount !== undefined && (!Number.isInteger(amount) || amount < 0)) {
      throw invalidValue(`ReservedConcurrentExecutions is ${amount}; it is a whole number from 0.`);
    }
    const reserved = this.#reserved - (fn.reservedConcurrency ?? 0) + (amount ?? 0);
    if (ACCOUNT_LIMIT - reserved < LEAST_UNRESERVED) {
      throw invalidValue(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${LEAST_UNRESERVED}].`,
      );
    }
    this.#reserved = reserved;
    fn.reservedConcurrency = amount;
  }

  /** Counts an invocation in; false when a limit is reached. `release` must follow. */
  tryAcquire(fn: LambdaFunction): boolean {
    const running = this.running(fn);
    const isReserved = fn.reservedConcurrency !== undefined;
    if (isReserved ? running >= (fn.reservedConcurrency ?? 0) : this.#unreservedRunning >= this.unreservedLimit) {
      return false;
    }
    this.#running.set(fn, running + 1);
    if (!isReserved) this.#unreservedRunning += 1;
    return true;
  }

  release(fn: LambdaFunction): void {
    this.#running.set(fn, Math.max(0, this.running(fn) - 1));
    if (fn.reservedConcurrency === undefined) this.#unreservedRunning = Math.max(0, this.#unreservedRunning - 1);
    this.onRelease();
  }

  /** The error of an invocation that `tryAcquire` refused. */
  refusal(fn: LambdaFunction): Error {
    const isReserved = fn.reservedConcurrency !== undefined;
    return throttled(
      isReserved ? 'ReservedFunctionConcurrentInvocationLimitExceeded' : 'ConcurrentInvocationLimitExceeded',
    );
  }
}
