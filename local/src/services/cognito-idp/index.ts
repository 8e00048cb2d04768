import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { answerPreflight, answerPublicRequest } from '../public-requests.ts';
import type { CognitoUsers } from './cognito-users.ts';
import { managedLogin } from './managed-login/index.ts';
import { adminUserOperations } from './operations/admin-users.ts';
import { authenticationOperations } from './operations/authentication.ts';
import { groupOperations } from './operations/groups.ts';
import { ownAccountOperations } from './operations/own-account.ts';
import { ownAttributeOperations } from './operations/own-attributes.ts';
import { passwordOperations } from './operations/passwords.ts';
import { signUpOperations } from './operations/sign-up.ts';
import { ownSoftwareTokenOperations, softwareTokenOperations } from './operations/software-tokens.ts';
import { clientOperations } from './operations/user-pool-clients.ts';
import { userPoolOperations } from './operations/user-pools.ts';
import { verifyIdToken } from './operations/verify-id-token.ts';
import { SignIn } from './sign-in.ts';
import { UserPools } from './user-pools.ts';
import { wellKnown } from './well-known.ts';

const NAME = 'cognito-idp';

/** Amazon Cognito user pools. There are no triggers and no other identity providers. */
export function createCognitoIdpService(kernel: Kernel): Service {
  const pools = new UserPools(kernel);
  const cognito: CognitoUsers = { kernel, pools, signIn: new SignIn(kernel) };
  const protocol = jsonProtocol({ version: '1.1', targetPrefix: 'AWSCognitoIdentityProviderService' });
  const { AdminInitiateAuth, AdminRespondToAuthChallenge, ...authentication } = authenticationOperations(cognito);
  const forApps = {
    ...authentication,
    ...signUpOperations(cognito),
    ...passwordOperations(cognito),
    ...ownAccountOperations(cognito),
    ...ownAttributeOperations(cognito),
    ...ownSoftwareTokenOperations(cognito),
  };
  const pages = managedLogin(cognito);
  const requests = { kernel, service: NAME, protocol, operations: new Set(Object.keys(forApps)) };
  return {
    name: NAME,
    signingNames: [NAME],
    protocols: [protocol],
    operations: {
      ...userPoolOperations(cognito),
      ...clientOperations(cognito),
      ...groupOperations(cognito),
      ...adminUserOperations(cognito),
      ...softwareTokenOperations(cognito),
      ...(AdminInitiateAuth && { AdminInitiateAuth }),
      ...(AdminRespondToAuthChallenge && { AdminRespondToAuthChallenge }),
      ...forApps,
      VerifyIdToken: verifyIdToken(cognito),
    },
    unsigned: (request, requestId) => {
      const document = wellKnown(pools, request) ?? pages(request);
      if (document) return Promise.resolve(document);
      return answerPublicRequest(requests, request, requestId) ?? answerPreflight(request);
    },
    state: pools.state,
  };
}
