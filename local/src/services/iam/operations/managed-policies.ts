import type {
  DeletePolicyCommandInput,
  GetPolicyCommandInput,
  GetPolicyCommandOutput,
  GetPolicyVersionCommandInput,
  GetPolicyVersionCommandOutput,
  ListPoliciesCommandInput,
  ListPoliciesCommandOutput,
} from '@aws-sdk/client-iam';
import { noSuchEntity } from '../../../iam/iam-store.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describePolicy, encodeDocument, type IamContext, page, refuseMembers, required } from '../iam-context.ts';

/** GetPolicy, GetPolicyVersion, ListPolicies, DeletePolicy. A policy has the one version it was created with. */
export function managedPolicyOperations({ store }: IamContext): Readonly<Record<string, AnyOperation>> {
  const on = (action: string, arn: string | undefined) => [{ action: `iam:${action}`, resource: arn ?? '*' }];
  return {
    GetPolicy: operation<GetPolicyCommandInput, Omit<GetPolicyCommandOutput, '$metadata'>>({
      permissions: ({ PolicyArn }) => on('GetPolicy', PolicyArn),
      run: ({ PolicyArn }) => ({ Policy: describePolicy(store, store.managed(required(PolicyArn, 'PolicyArn'))) }),
    }),
    GetPolicyVersion: operation<GetPolicyVersionCommandInput, Omit<GetPolicyVersionCommandOutput, '$metadata'>>({
      permissions: ({ PolicyArn }) => on('GetPolicyVersion', PolicyArn),
      run: ({ PolicyArn, VersionId }) => {
        const policy = store.managed(required(PolicyArn, 'PolicyArn'));
        if (VersionId !== 'v1') throw noSuchEntity(`Policy ${PolicyArn} version ${VersionId} does not exist.`);
        const CreateDate = new Date(policy.createdAt);
        return {
          PolicyVersion: { Document: encodeDocument(policy.document), VersionId, IsDefaultVersion: true, CreateDate },
        };
      },
    }),
    ListPolicies: operation<ListPoliciesCommandInput, Omit<ListPoliciesCommandOutput, '$metadata'>>({
      permissions: () => on('ListPolicies', '*'),
      run: (input) => {
        refuseMembers('ListPolicies', input, ['PathPrefix', 'PolicyUsageFilter', 'OnlyAttached']);
        if (input.Scope !== 'Local') {
          throw new AwsError(
            'NotEmulated',
            'The local runtime lists customer managed policies only: give Scope=Local.',
            501,
          );
        }
        const { items, rest } = page(store.customerPolicies, input);
        return { Policies: items.map((policy) => describePolicy(store, policy)), ...rest };
      },
    }),
    DeletePolicy: operation<DeletePolicyCommandInput, object>({
      permissions: ({ PolicyArn }) => on('DeletePolicy', PolicyArn),
      run: ({ PolicyArn }) => {
        const policy = store.managed(required(PolicyArn, 'PolicyArn'));
        if ([...store.roles.values()].some(({ attached }) => attached.has(policy.arn))) {
          throw new AwsError('DeleteConflict', 'Cannot delete a policy attached to entities.', 409);
        }
        store.removeManaged(policy.arn);
        return {};
      },
    }),
  };
}
