/** What an answer means: the body that the contract promises, or an error that says what it was instead. */
import { Problem, type Route } from '@thingstead/contracts/routes/route';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import { ApiProblem, type ProblemDetails, UnexpectedAnswer } from './errors.ts';

/** The gateway's own refusals (401, 404, 429, 503): `{"message":"Unauthorized"}`. */
const GatewayRefusal = v.object({ message: v.nullable(v.string()) });

/** An answer as it came. */
export interface ReceivedAnswer extends Pick<Response, 'status' | 'statusText' | 'headers'> {
  readonly text: string;
}

/** The checked body. @throws ApiProblem when the request was refused, UnexpectedAnswer when the answer fits no contract. */
export function readAnswer(route: Route, response: ReceivedAnswer): unknown {
  const { operationId, status, answer } = route;
  if (response.status !== status) {
    if (response.status < 400) throw new UnexpectedAnswer(operationId, response.status, `its status is not ${status}`);
    throw new ApiProblem(operationId, readProblem(response));
  }
  if (answer === undefined) return undefined;
  const checked = validate(answer, parseJson(response.text));
  if (checked.ok) return checked.value;
  throw new UnexpectedAnswer(operationId, response.status, checked.reason);
}

/** In words, whoever has refused: a function, the gateway, or something that stands between. */
function readProblem({ status, statusText, headers, text }: ReceivedAnswer): ProblemDetails {
  const json = parseJson(text);
  const retryAfterSeconds = retryAfter(headers);
  const problem = validate(Problem, json);
  if (problem.ok) {
    const { title, detail, errors = [], correlationId } = problem.value;
    return { status, title, detail, errors, correlationId, retryAfterSeconds };
  }
  const gateway = validate(GatewayRefusal, json);
  const title = (gateway.ok && gateway.value.message) || statusText || 'Error';
  const correlationId = headers.get('apigw-requestid') ?? undefined;
  return { status, title, detail: title, errors: [], correlationId, retryAfterSeconds };
}

/** Seconds; undefined without the header, and for a date, which this API does not send. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
