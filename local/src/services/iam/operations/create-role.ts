import type { CreateRoleCommandInput, CreateRoleCommandOutput } from '@aws-sdk/client-iam';
import { randomText } from '../../../iam/credential-store.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describeRole, type IamContext, onRole, parseTrust, refuseMembers, required } from '../iam-context.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export function createRole({ store, now }: IamContext): AnyOperation {
  return operation<CreateRoleCommandInput, Omit<CreateRoleCommandOutput, '$metadata'>>({
    permissions: ({ RoleName, Path }) => onRole(store, 'CreateRole', RoleName, Path),
    run: (input) => {
      const name = required(input.RoleName, 'RoleName');
      const path = input.Path ?? '/';
      const maxSessionSeconds = input.MaxSessionDuration ?? 3600;
      refuseMembers('CreateRole', input, ['PermissionsBoundary']);
      if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
        throw invalid(`RoleName ${name} must be 1 to 64 characters of [\\w+=,.@-]`, 'ValidationError');
      }
      if (!/^\/([!-~]+\/)?$/.test(path)) throw invalid(`Path ${path} must begin and end with /`, 'ValidationError');
      if (maxSessionSeconds < 3600 || maxSessionSeconds > 43_200) {
        throw invalid('MaxSessionDuration must be from 3600 to 43200', 'ValidationError');
      }
      if (store.roles.has(name)) {
        throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
      }
      const role = {
        name,
        arn: `arn:aws:iam::${store.accountId}:role${path}${name}`,
        path,
        id: `AROA${randomText(17)}`,
        createdAt: now(),
        trust: parseTrust(input.AssumeRolePolicyDocument, 'AssumeRolePolicyDocument'),
        description: input.Description,
        maxSessionSeconds,
        inline: new Map(),
        attached: new Set<string>(),
        tags: new Map((input.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
      };
      store.roles.set(name, role);
      return { Role: describeRole(role) };
    },
  });
}
