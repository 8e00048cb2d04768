import type {
  AttachRolePolicyCommandInput,
  DetachRolePolicyCommandInput,
  ListAttachedRolePoliciesCommandInput,
  ListAttachedRolePoliciesCommandOutput,
} from '@aws-sdk/client-iam';
import { noSuchEntity } from '../../../iam/iam-store.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import { type IamContext, onRole, page, required } from '../iam-context.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: managed policies attached to a role. */
const MOST_ATTACHED = 10;

/** AttachRolePolicy, DetachRolePolicy, ListAttachedRolePolicies. */
export function attachmentOperations({ store }: IamContext): Readonly<Record<string, AnyOperation>> {
  const on = (action: string, roleName: string | undefined, policyArn: string | undefined): readonly Permission[] =>
    onRole(store, action, roleName).map((each) => ({ ...each, context: { 'iam:PolicyARN': policyArn ?? '' } }));
  return {
    AttachRolePolicy: operation<AttachRolePolicyCommandInput, object>({
      permissions: ({ RoleName, PolicyArn }) => on('AttachRolePolicy', RoleName, PolicyArn),
      run: ({ RoleName, PolicyArn }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        const policy = store.managed(required(PolicyArn, 'PolicyArn'));
        if (!role.attached.has(policy.arn) && role.attached.size === MOST_ATTACHED) {
          throw new AwsError('LimitExceeded', `Cannot exceed quota for PoliciesPerRole: ${MOST_ATTACHED}`, 409);
        }
        role.attached.add(policy.arn);
        return {};
      },
    }),
    DetachRolePolicy: operation<DetachRolePolicyCommandInput, object>({
      permissions: ({ RoleName, PolicyArn }) => on('DetachRolePolicy', RoleName, PolicyArn),
      run: ({ RoleName, PolicyArn }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        if (!role.attached.delete(required(PolicyArn, 'PolicyArn'))) {
          throw noSuchEntity(`Policy ${PolicyArn} was not found.`);
        }
        return {};
      },
    }),
    ListAttachedRolePolicies: operation<
      ListAttachedRolePoliciesCommandInput,
      Omit<ListAttachedRolePoliciesCommandOutput, '$metadata'>
    >({
      permissions: ({ RoleName }) => onRole(store, 'ListAttachedRolePolicies', RoleName),
      run: (input) => {
        const role = store.role(required(input.RoleName, 'RoleName'));
        const { items, rest } = page([...role.attached], input);
        return {
          AttachedPolicies: items.map((arn) => ({ PolicyName: store.managed(arn).name, PolicyArn: arn })),
          ...rest,
        };
      },
    }),
  };
}
