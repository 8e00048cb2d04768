import type {
  DeleteRolePolicyCommandInput,
  GetRolePolicyCommandInput,
  GetRolePolicyCommandOutput,
  ListRolePoliciesCommandInput,
  ListRolePoliciesCommandOutput,
  PutRolePolicyCommandInput,
} from '@aws-sdk/client-iam';
import { compiledPolicy, noSuchEntity } from '../../../iam/iam-store.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { encodeDocument, type IamContext, onRole, page, parseDocument, required } from '../iam-context.ts';

/** Characters without white space, over all inline policies of a role (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
const LARGEST_INLINE = 10_240;

/** PutRolePolicy, GetRolePolicy, ListRolePolicies, DeleteRolePolicy. */
export function inlinePolicyOperations({ store }: IamContext): Readonly<Record<string, AnyOperation>> {
  return {
    PutRolePolicy: operation<PutRolePolicyCommandInput, object>({
      permissions: ({ RoleName }) => onRole(store, 'PutRolePolicy', RoleName),
      run: ({ RoleName, PolicyName, PolicyDocument }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        const name = required(PolicyName, 'PolicyName');
        if (!/^[\w+=,.@-]{1,128}$/.test(name)) {
          throw invalid(`PolicyName ${name} must be 1 to 128 characters of [\\w+=,.@-]`, 'ValidationError');
        }
        const policy = compiledPolicy(parseDocument(PolicyDocument, 'PolicyDocument'), 'identity');
        const others = [...role.inline].filter(([each]) => each !== name).map(([, { document }]) => document);
        const size = [...others, policy.document].reduce((sum, each) => sum + JSON.stringify(each).length, 0);
        if (size > LARGEST_INLINE) {
          const message = `Maximum policy size of ${LARGEST_INLINE} bytes exceeded for role ${role.name}`;
          throw new AwsError('LimitExceeded', message, 409);
        }
        role.inline.set(name, policy);
        return {};
      },
    }),
    GetRolePolicy: operation<GetRolePolicyCommandInput, Omit<GetRolePolicyCommandOutput, '$metadata'>>({
      permissions: ({ RoleName }) => onRole(store, 'GetRolePolicy', RoleName),
      run: ({ RoleName, PolicyName }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        const policy = role.inline.get(required(PolicyName, 'PolicyName'));
        if (!policy) throw noSuchEntity(`The role policy with name ${PolicyName} cannot be found.`);
        return { RoleName: role.name, PolicyName, PolicyDocument: encodeDocument(policy.document) };
      },
    }),
    ListRolePolicies: operation<ListRolePoliciesCommandInput, Omit<ListRolePoliciesCommandOutput, '$metadata'>>({
      permissions: ({ RoleName }) => onRole(store, 'ListRolePolicies', RoleName),
      run: (input) => {
        const role = store.role(required(input.RoleName, 'RoleName'));
        const { items, rest } = page([...role.inline.keys()].toSorted(), input);
        return { PolicyNames: items, ...rest };
      },
    }),
    DeleteRolePolicy: operation<DeleteRolePolicyCommandInput, object>({
      permissions: ({ RoleName }) => onRole(store, 'DeleteRolePolicy', RoleName),
      run: ({ RoleName, PolicyName }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        if (!role.inline.delete(required(PolicyName, 'PolicyName'))) {
          throw noSuchEntity(`The role policy with name ${PolicyName} cannot be found.`);
        }
        return {};
      },
    }),
  };
}
