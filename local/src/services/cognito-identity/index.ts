import { jsonProtocol } from '../../http/protocols/index.ts';
import type { LocalIam } from '../../iam/local-iam.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { answerPublicRequest } from '../public-requests.ts';
import { IdentityPools } from './identity-pools.ts';
import { identityOperations } from './operations/identities.ts';
import { identityPoolOperations } from './operations/identity-pools.ts';

const NAME = 'cognito-identity';

/** Amazon Cognito identity pools: AWS credentials for the people of a user pool, and for guests. */
export function createCognitoIdentityService(kernel: Kernel, iam: LocalIam): Service {
  const pools = new IdentityPools(kernel);
  const protocol = jsonProtocol({ version: '1.1', targetPrefix: 'AWSCognitoIdentityService' });
  const forApps = identityOperations(pools, iam);
  const requests = { kernel, service: NAME, protocol, operations: new Set(Object.keys(forApps)) };
  return {
    name: NAME,
    signingNames: [NAME],
    protocols: [protocol],
    operations: { ...identityPoolOperations(pools), ...forApps },
    unsigned: (request, requestId) => answerPublicRequest(requests, request, requestId),
    state: pools.state,
  };
}
