import type { Kernel } from '../../../kernel/kernel.ts';
import type { UserPool } from '../user-pool.ts';

/**
 * Where the endpoints of a pool's domain begin on the AWS endpoint: its host on AWS as a folder,
 * `/<domain>.auth.<region>.amazoncognito.com`. Undefined for a pool without a domain.
 */
export function basePathOf({ region }: Kernel, { domain }: Pick<UserPool, 'domain'>): string | undefined {
  return domain === undefined ? undefined : `/${domain}.auth.${region}.amazoncognito.com`;
}

/** Takes a path apart: the domain, and the path on AWS. Undefined for a path that is not below a domain. */
export function splitDomain({ region }: Kernel, path: string): { domain: string; endpoint: string } | undefined {
  const [, domain = '', where, endpoint = ''] =
    /^\/([a-z0-9-]+)\.auth\.([a-z0-9-]+)\.amazoncognito\.com(\/.*)$/.exec(path) ?? [];
  return where === region ? { domain, endpoint } : undefined;
}
