import type { GetEffectivePoliciesCommandInput, GetEffectivePoliciesResponse } from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { lineageOf } from '../../registry/thing-groups.ts';
import { type ControlPlane, checkPolicyTarget, onAll, onPrincipal } from '../control-plane.ts';
import { invalidRequest, optionNotEmulated } from '../errors.ts';
import { checkThingName } from './things.ts';

/**
 * The policies that count when a device connects: those of the principal, and those of the thing's groups with their
 * parents (https://docs.aws.amazon.com/iot/latest/apireference/API_GetEffectivePolicies.html).
 */
export function getEffectivePolicies(plane: ControlPlane): AnyOperation {
  const { kernel, policies } = plane;
  const { groups } = plane.things;
  const prefix = kernel.arn('iot', 'thinggroup/');
  return operation<GetEffectivePoliciesCommandInput, GetEffectivePoliciesResponse>({
    permissions: ({ principal }) =>
      principal === undefined ? onAll('GetEffectivePolicies') : onPrincipal('GetEffectivePolicies', principal),
    run({ principal, thingName, cognitoIdentityPoolId }) {
      if (cognitoIdentityPoolId !== undefined) throw optionNotEmulated('policies of Cognito identity pools');
      if (principal === undefined && thingName === undefined)
        throw invalidRequest('principal or thingName is required');
      const target = principal === undefined ? undefined : checkPolicyTarget(plane, principal, 'principal');
      const thing = thingName === undefined ? undefined : plane.things.get(checkThingName(thingName));
      const direct = thing ? [...groups.of(thing.name)] : [];
      const isGroup = target?.startsWith(prefix) === true;
      if (isGroup) direct.push(groups.get(target.slice(prefix.length)));
      const targets = direct.flatMap(lineageOf).map(({ arn }) => arn);
      if (target !== undefined && !isGroup) targets.unshift(target);
      const found = new Set(targets.flatMap((each) => policies.attachedTo(each)));
      return {
        effectivePolicies: [...found].map(({ name, arn, defaultVersion }) => ({
          policyName: name,
          policyArn: arn,
          policyDocument: defaultVersion.text,
        })),
      };
    },
  });
}
