import type {
  AttachPolicyCommandInput,
  AttachPrincipalPolicyCommandInput,
  DetachPolicyCommandInput,
  DetachPrincipalPolicyCommandInput,
  ListAttachedPoliciesCommandInput,
  ListAttachedPoliciesResponse,
  ListPolicyPrincipalsCommandInput,
  ListPolicyPrincipalsResponse,
  ListPrincipalPoliciesCommandInput,
  ListPrincipalPoliciesResponse,
  ListTargetsForPolicyCommandInput,
  ListTargetsForPolicyResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { lineageOf } from '../../registry/thing-groups.ts';
import { type ControlPlane, checkPolicyTarget, on, onAll, onPrincipal } from '../control-plane.ts';
import { required } from '../errors.ts';
import { type PageRequest, page } from '../page.ts';
import { checkPolicyName, listPolicies } from './policies.ts';

/**
 * What policies are attached to. The operations with "principal" in their name are deprecated by AWS, and do the same.
 */
export function policyAttachmentOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { policies } = plane;
  const find = (name: string | undefined) => policies.get(checkPolicyName(name));
  const attach = (policyName: string | undefined, target: string | undefined, name: string) => {
    policies.attach(find(policyName), checkPolicyTarget(plane, target, name));
    return {};
  };
  // A target that has gone can still be detached, so that the policy can be deleted.
  const detach = (policyName: string | undefined, target: string | undefined, name: string) => {
    policies.detach(find(policyName), required(target, name));
    return {};
  };
  const targetsOf = (policyName: string | undefined, request: PageRequest) =>
    page(find(policyName).targets, (target) => target, request);
  const groupPrefix = plane.kernel.arn('iot', 'thinggroup/');
  const withParents = (target: string): readonly string[] =>
    target.startsWith(groupPrefix)
      ? lineageOf(plane.things.groups.get(target.slice(groupPrefix.length))).map(({ arn }) => arn)
      : [target];
  return {
    AttachPolicy: operation<AttachPolicyCommandInput, object>({
      permissions: ({ target }) => onPrincipal('AttachPolicy', target),
      run: ({ policyName, target }) => attach(policyName, target, 'target'),
    }),
    DetachPolicy: operation<DetachPolicyCommandInput, object>({
      permissions: ({ target }) => onPrincipal('DetachPolicy', target),
      run: ({ policyName, target }) => detach(policyName, target, 'target'),
    }),
    ListAttachedPolicies: operation<ListAttachedPoliciesCommandInput, ListAttachedPoliciesResponse>({
      permissions: ({ target }) => onPrincipal('ListAttachedPolicies', target),
      run({ target, recursive, marker, pageSize }) {
        const arn = checkPolicyTarget(plane, target, 'target');
        const targets = recursive ? withParents(arn) : [arn];
        const attached = new Set(targets.flatMap((each) => policies.attachedTo(each)));
        return listPolicies(attached, { size: pageSize, token: marker });
      },
    }),
    ListTargetsForPolicy: operation<ListTargetsForPolicyCommandInput, ListTargetsForPolicyResponse>({
      permissions: ({ policyName }) => on(plane, 'ListTargetsForPolicy', `policy/${checkPolicyName(policyName)}`),
      run({ policyName, marker, pageSize }) {
        const { items, next } = targetsOf(policyName, { size: pageSize, token: marker });
        return { targets: [...items], nextMarker: next };
      },
    }),
    AttachPrincipalPolicy: operation<AttachPrincipalPolicyCommandInput, object>({
      permissions: ({ principal }) => onPrincipal('AttachPrincipalPolicy', principal),
      run: ({ policyName, principal }) => attach(policyName, principal, 'principal'),
    }),
    DetachPrincipalPolicy: operation<DetachPrincipalPolicyCommandInput, object>({
      permissions: ({ principal }) => onPrincipal('DetachPrincipalPolicy', principal),
      run: ({ policyName, principal }) => detach(policyName, principal, 'principal'),
    }),
    ListPrincipalPolicies: operation<ListPrincipalPoliciesCommandInput, ListPrincipalPoliciesResponse>({
      permissions: () => onAll('ListPrincipalPolicies'),
      run: ({ principal, marker, pageSize, ascendingOrder }) =>
        listPolicies(policies.attachedTo(checkPolicyTarget(plane, principal, 'principal')), {
          size: pageSize,
          token: marker,
          descending: ascendingOrder !== true,
        }),
    }),
    ListPolicyPrincipals: operation<ListPolicyPrincipalsCommandInput, ListPolicyPrincipalsResponse>({
      permissions: () => onAll('ListPolicyPrincipals'),
      run({ policyName, marker, pageSize, ascendingOrder }) {
        const descending = ascendingOrder !== true;
        const { items, next } = targetsOf(policyName, { size: pageSize, token: marker, descending });
        return { principals: [...items], nextMarker: next };
      },
    }),
  };
}
