import type { WireRequest } from '../../../kernel/wire.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import type { Members } from '../user-pools.ts';
import type { AuthorizationCodes } from './authorization-codes.ts';
import type { BrowserSessions } from './browser-sessions.ts';

/** What the endpoints work on. */
export interface ManagedLogin extends CognitoUsers {
  readonly browsers: BrowserSessions;
  readonly codes: AuthorizationCodes;
}

/** A request to an endpoint of one pool's domain. */
export interface PoolRequest {
  readonly members: Members;
  readonly request: WireRequest;
  /** `/<domain>.auth.<region>.amazoncognito.com` */
  readonly basePath: string;
}
