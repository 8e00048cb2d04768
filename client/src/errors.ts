/** How a request can end without its answer. Each is told from the others by its class. */
import type { FieldProblem } from '@thingstead/contracts/routes/route';

export interface ProblemDetails {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  readonly correlationId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** The API has refused a request: a function of ours in `application/problem+json`, or the gateway in words of its own. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly operationId: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Which members of the request are wrong, and why; with status 400. */
  readonly errors: readonly FieldProblem[];
  /** Finds the request in the log of the platform. */
  readonly correlationId: string | undefined;
  /** When to try again, if the answer said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    operationId: string,
    { status, title, detail, errors, correlationId, retryAfterSeconds }: ProblemDetails,
  ) {
    super(`${operationId}: ${status} ${detail}`);
    this.operationId = operationId;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.correlationId = correlationId;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** There was no answer: the network, the address, or the time that was given. The request may have been carried out. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
  readonly operationId: string;
  readonly timedOut: boolean;

  constructor(operationId: string, { timedOut, cause }: { readonly timedOut: boolean; readonly cause: unknown }) {
    super(`${operationId}: ${timedOut ? 'no answer in time' : 'the API cannot be reached'}`, { cause });
    this.operationId = operationId;
    this.timedOut = timedOut;
  }
}

/** The server does not keep to the contract: it is no Thingstead, or of another version than this client. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  readonly operationId: string;
  readonly status: number;

  constructor(operationId: string, status: number, what: string) {
    super(`${operationId}: the answer (${status}) is not what the contract says: ${what}`);
    this.operationId = operationId;
    this.status = status;
  }
}
