import type {
  AuthInfo,
  AuthResult,
  TestAuthorizationCommandInput,
  TestAuthorizationResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { Policy } from '../../policies/policy-store.ts';
import type { IotAccessRequest } from '../../types.ts';
import { type ControlPlane, onPrincipal } from '../control-plane.ts';
import { invalidRequest, optionNotEmulated, required } from '../errors.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  CONNECT: 'iot:Connect',
  PUBLISH: 'iot:Publish',
  RECEIVE: 'iot:Receive',
  SUBSCRIBE: 'iot:Subscribe',
};

/** Asks what a certificate's policies would decide (API_TestAuthorization), by the same evaluation as the broker's. */
export function testAuthorization(plane: ControlPlane): AnyOperation {
  return operation<TestAuthorizationCommandInput, TestAuthorizationResponse>({
    permissions: ({ principal }) => onPrincipal('TestAuthorization', principal),
    run(input) {
      const principal = required(input.principal, 'principal');
      const prefix = plane.kernel.arn('iot', 'cert/');
      // AWS takes Cognito identities and thing groups too.
      if (!principal.startsWith(prefix)) throw optionNotEmulated(`TestAuthorization for the principal ${principal}`);
      const certificate = plane.certificates.get(principal.slice(prefix.length));
      const policies = [
        ...[...plane.authorizer.policiesOf(principal, { protocol: 'mqtt', clientId: input.clientId })].filter(
          ({ name }) => !input.policyNamesToSkip?.includes(name),
        ),
        ...(input.policyNamesToAdd ?? []).map((name) => plane.policies.get(name)),
      ];
      const authInfos = input.authInfos ?? [];
      if (authInfos.length === 0) throw invalidRequest('authInfos is required');
      return {
        authResults: authInfos.map((info) =>
          decide(plane, policies, info, {
            principal: { kind: 'certificate', certificate },
            protocol: 'mqtt',
            clientId: input.clientId,
            sourceIp: undefined,
          }),
        ),
      };
    },
  });
}

/** All resources have to be allowed. */
function decide(
  { kernel, authorizer }: ControlPlane,
  policies: readonly Policy[],
  authInfo: AuthInfo,
  who: Omit<IotAccessRequest, 'action' | 'resource'>,
): AuthResult {
  const action = ACTIONS[authInfo.actionType ?? ''];
  if (action === undefined) throw invalidRequest(`actionType has to be one of ${Object.keys(ACTIONS).join(', ')}`);
  const prefix = kernel.arn('iot', '');
  const decisions = (authInfo.resources ?? []).map((arn) => {
    if (!arn.startsWith(prefix)) throw invalidRequest(`the resource ${arn} does not begin with ${prefix}`);
    return authorizer.decide(policies, { ...who, action, resource: arn.slice(prefix.length) });
  });
  if (decisions.length === 0) throw invalidRequest('resources is required');
  const explicit = named(decisions.flatMap(({ deniedBy }) => deniedBy));
  const missing = decisions.some(({ allowedBy }) => allowedBy.length === 0);
  const implicit = missing ? named(policies) : [];
  return {
    authInfo,
    allowed: { policies: explicit.length > 0 || missing ? [] : named(decisions.flatMap(({ allowedBy }) => allowedBy)) },
    denied: { implicitDeny: { policies: implicit }, explicitDeny: { policies: explicit } },
    authDecision: explicit.length > 0 ? 'EXPLICIT_DENY' : missing ? 'IMPLICIT_DENY' : 'ALLOWED',
    missingContextValues: [],
  };
}

function named(policies: readonly Policy[]) {
  return [...new Set(policies)].map(({ name, arn }) => ({ policyName: name, policyArn: arn }));
}
