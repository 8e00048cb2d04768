import type {
  DeleteRoleCommandInput,
  GetRoleCommandInput,
  GetRoleCommandOutput,
  ListRolesCommandInput,
  ListRolesCommandOutput,
  UpdateAssumeRolePolicyCommandInput,
} from '@aws-sdk/client-iam';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describeRole, type IamContext, onRole, page, parseTrust, required } from '../iam-context.ts';

/** GetRole, ListRoles, UpdateAssumeRolePolicy, DeleteRole. */
export function roleOperations({ store }: IamContext): Readonly<Record<string, AnyOperation>> {
  return {
    GetRole: operation<GetRoleCommandInput, Omit<GetRoleCommandOutput, '$metadata'>>({
      permissions: ({ RoleName }) => onRole(store, 'GetRole', RoleName),
      run: ({ RoleName }) => ({ Role: describeRole(store.role(required(RoleName, 'RoleName'))) }),
    }),
    ListRoles: operation<ListRolesCommandInput, Omit<ListRolesCommandOutput, '$metadata'>>({
      permissions: ({ PathPrefix = '/' }) => [
        { action: 'iam:ListRoles', resource: `arn:aws:iam::${store.accountId}:role${PathPrefix}` },
      ],
      run: (input) => {
        const all = [...store.roles.values()].filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'));
        const { items, rest } = page(
          all.toSorted((a, b) => a.name.localeCompare(b.name)),
          input,
        );
        return { Roles: items.map((role) => ({ ...describeRole(role), Tags: undefined })), ...rest };
      },
    }),
    UpdateAssumeRolePolicy: operation<UpdateAssumeRolePolicyCommandInput, object>({
      permissions: ({ RoleName }) => onRole(store, 'UpdateAssumeRolePolicy', RoleName),
      run: ({ RoleName, PolicyDocument }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        role.trust = parseTrust(PolicyDocument, 'PolicyDocument');
        return {};
      },
    }),
    DeleteRole: operation<DeleteRoleCommandInput, object>({
      permissions: ({ RoleName }) => onRole(store, 'DeleteRole', RoleName),
      run: ({ RoleName }) => {
        const role = store.role(required(RoleName, 'RoleName'));
        const rest = role.inline.size > 0 ? 'delete policies' : 'detach all policies';
        if (role.inline.size > 0 || role.attached.size > 0) {
          throw new AwsError('DeleteConflict', `Cannot delete entity, must ${rest} first.`, 409);
        }
        store.roles.delete(role.name);
        return {};
      },
    }),
  };
}
