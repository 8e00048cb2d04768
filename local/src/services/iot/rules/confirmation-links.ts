import { AwsError } from '../../../kernel/errors.ts';
import type { Service } from '../../../kernel/service.ts';
import type { WireResponse } from '../../../kernel/wire.ts';
import type { Destinations } from './destinations.ts';

const PREFIX = '/confirmdestination/';

/** Answers the `enableUrl` of a confirmation, which anyone may open who has the token. */
export function confirmationLinks(destinations: Destinations): NonNullable<Service['unsigned']> {
  return (request, requestId) => {
    if (request.method !== 'GET' || !request.path.startsWith(PREFIX)) return undefined;
    const headers = { 'content-type': 'application/json', 'x-amzn-requestid': requestId };
    const answer = (): WireResponse => {
      try {
        destinations.confirm(decodeURIComponent(request.path.slice(PREFIX.length)));
        return { status: 200, headers, body: '' };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const body = JSON.stringify({ message: error.message });
        return { status: error.status, headers: { ...headers, 'x-amzn-errortype': error.code }, body };
      }
    };
    return Promise.resolve().then(answer);
  };
}
