import type {
  CreatePolicyCommandInput,
  CreatePolicyResponse,
  DeletePolicyCommandInput,
  GetPolicyCommandInput,
  GetPolicyResponse,
  ListPoliciesCommandInput,
  ListPoliciesResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { Policy } from '../../policies/policy-store.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { matching, required } from '../errors.ts';
import { byCreation, type PageRequest, page } from '../page.ts';
import { taggingPermissions } from './tags.ts';

const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

/** A policy name as the API model has it. Throws InvalidRequestException. */
export function checkPolicyName(name: string | undefined): string {
  return matching(name, 'policyName', POLICY_NAME);
}

/** IoT policies (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html). */
export function policyOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { policies, tags: resourceTags } = plane;
  const onPolicy = (action: string, name: string | undefined) => on(plane, action, `policy/${checkPolicyName(name)}`);
  return {
    CreatePolicy: operation<CreatePolicyCommandInput, CreatePolicyResponse>({
      permissions: ({ policyName, tags }) => taggingPermissions(onPolicy('CreatePolicy', policyName), tags),
      run({ policyName, policyDocument, tags }) {
        resourceTags.check(tags);
        const { name, arn, defaultVersion } = policies.create(
          checkPolicyName(policyName),
          required(policyDocument, 'policyDocument'),
        );
        resourceTags.add(arn, tags);
        return {
          policyName: name,
          policyArn: arn,
          policyDocument: defaultVersion.text,
          policyVersionId: defaultVersion.id,
        };
      },
    }),
    GetPolicy: operation<GetPolicyCommandInput, GetPolicyResponse>({
      permissions: ({ policyName }) => onPolicy('GetPolicy', policyName),
      run({ policyName }) {
        const { name, arn, defaultVersion, createdAt, lastModifiedAt, generationId } = policies.get(
          checkPolicyName(policyName),
        );
        return {
          policyName: name,
          policyArn: arn,
          policyDocument: defaultVersion.text,
          defaultVersionId: defaultVersion.id,
          creationDate: new Date(createdAt),
          lastModifiedDate: new Date(lastModifiedAt),
          generationId,
        };
      },
    }),
    ListPolicies: operation<ListPoliciesCommandInput, ListPoliciesResponse>({
      permissions: () => onAll('ListPolicies'),
      run({ pageSize, marker, ascendingOrder }) {
        return listPolicies(policies.all, { size: pageSize, token: marker, descending: ascendingOrder !== true });
      },
    }),
    DeletePolicy: operation<DeletePolicyCommandInput, object>({
      permissions: ({ policyName }) => onPolicy('DeletePolicy', policyName),
      run({ policyName }) {
        const policy = policies.get(checkPolicyName(policyName));
        policies.delete(policy);
        resourceTags.forget(policy.arn);
        return {};
      },
    }),
  };
}

/** A page of policies as the list operations answer it. */
export function listPolicies(all: Iterable<Policy>, request: PageRequest) {
  const { items, next } = page(all, ({ createdAt, name }) => byCreation(createdAt, name), request);
  return { policies: items.map(({ name, arn }) => ({ policyName: name, policyArn: arn })), nextMarker: next };
}
