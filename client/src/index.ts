/** Typed client of the REST API, for browsers and Node. */
export type { CallOptions, Client } from './api-types.ts';
export { type ClientOptions, createClient } from './client.ts';
export { ApiProblem, ApiUnreachable, UnexpectedAnswer } from './errors.ts';
export { pages } from './pages.ts';
