/** Routes for devices that cannot connect. No token lets them in: each proves itself in its body. */
import * as v from 'valibot';
import { RenewalRequest } from '../certificates.ts';
import { None, type Route, route } from './route.ts';

export const DEVICE_ROUTES = {
  renewCertificate: route({
    operationId: 'renewCertificate',
    method: 'POST',
    path: '/certificates/renewals',
    summary:
      'A device whose certificate has expired gets the next one. The same request again gets the same certificate.',
    audience: { kind: 'device' },
    params: None,
    query: None,
    body: RenewalRequest,
    status: 200,
    answer: v.object({ certificate: v.string() }),
    problems: {
      403: 'there is no certificate for this request; why is in the log of the function',
      409: 'an operator signs it; ask again later',
    },
  }),
} as const satisfies Readonly<Record<string, Route>>;
