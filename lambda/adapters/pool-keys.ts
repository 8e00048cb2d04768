import { FetchError, NonRetryableFetchError } from 'aws-jwt-verify/error';

const TIMEOUT_MS = 3_000;

/**
 * Fetches the public keys of a user pool. They are at the pool's issuer; where every AWS service is at another endpoint
 * (`AWS_ENDPOINT_URL`), so are they.
 */
export function poolKeysFrom(endpoint: string | undefined): { fetch(uri: string): Promise<ArrayBuffer> } {
  return {
    async fetch(uri) {
      const address = endpoint === undefined ? uri : `${endpoint.replace(/\/$/, '')}${new URL(uri).pathname}`;
      let response: Response;
      try {
        response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      } catch (error) {
        throw new FetchError(address, error);
      }
      if (!response.ok) throw new NonRetryableFetchError(address, `status ${response.status}`);
      return response.arrayBuffer();
    },
  };
}
