import type {
  CreatePolicyVersionCommandInput,
  CreatePolicyVersionResponse,
  DeletePolicyVersionCommandInput,
  GetPolicyVersionCommandInput,
  GetPolicyVersionResponse,
  ListPolicyVersionsCommandInput,
  ListPolicyVersionsResponse,
  SetDefaultPolicyVersionCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, on } from '../control-plane.ts';
import { required } from '../errors.ts';
import { checkPolicyName } from './policies.ts';

/** Versions of policies: five at most, one of them in force. */
export function policyVersionOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { policies } = plane;
  const onPolicy = (action: string, name: string | undefined) => on(plane, action, `policy/${checkPolicyName(name)}`);
  const find = (name: string | undefined) => policies.get(checkPolicyName(name));
  return {
    CreatePolicyVersion: operation<CreatePolicyVersionCommandInput, CreatePolicyVersionResponse>({
      permissions: ({ policyName }) => onPolicy('CreatePolicyVersion', policyName),
      run({ policyName, policyDocument, setAsDefault }) {
        const policy = find(policyName);
        const isDefault = setAsDefault === true;
        const version = policies.addVersion(policy, required(policyDocument, 'policyDocument'), isDefault);
        return {
          policyArn: policy.arn,
          policyDocument: version.text,
          policyVersionId: version.id,
          isDefaultVersion: isDefault,
        };
      },
    }),
    GetPolicyVersion: operation<GetPolicyVersionCommandInput, GetPolicyVersionResponse>({
      permissions: ({ policyName }) => onPolicy('GetPolicyVersion', policyName),
      run({ policyName, policyVersionId }) {
        const policy = find(policyName);
        const version = policies.versionOf(policy, required(policyVersionId, 'policyVersionId'));
        return {
          policyArn: policy.arn,
          policyName: policy.name,
          policyDocument: version.text,
          policyVersionId: version.id,
          isDefaultVersion: version === policy.defaultVersion,
          creationDate: new Date(version.createdAt),
          lastModifiedDate: new Date(version.createdAt),
          generationId: policy.generationId,
        };
      },
    }),
    ListPolicyVersions: operation<ListPolicyVersionsCommandInput, ListPolicyVersionsResponse>({
      permissions: ({ policyName }) => onPolicy('ListPolicyVersions', policyName),
      run({ policyName }) {
        const { versions, defaultVersion } = find(policyName);
        return {
          policyVersions: [...versions.values()].reverse().map((version) => ({
            versionId: version.id,
            isDefaultVersion: version === defaultVersion,
            createDate: new Date(version.createdAt),
          })),
        };
      },
    }),
    SetDefaultPolicyVersion: operation<SetDefaultPolicyVersionCommandInput, object>({
      permissions: ({ policyName }) => onPolicy('SetDefaultPolicyVersion', policyName),
      run({ policyName, policyVersionId }) {
        policies.setDefault(find(policyName), required(policyVersionId, 'policyVersionId'));
        return {};
      },
    }),
    DeletePolicyVersion: operation<DeletePolicyVersionCommandInput, object>({
      permissions: ({ policyName }) => onPolicy('DeletePolicyVersion', policyName),
      run({ policyName, policyVersionId }) {
        policies.deleteVersion(find(policyName), required(policyVersionId, 'policyVersionId'));
        return {};
      },
    }),
  };
}
