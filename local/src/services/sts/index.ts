import type { GetCallerIdentityCommandOutput } from '@aws-sdk/client-sts';
import { queryProtocol } from '../../http/protocols/index.ts';
import type { LocalIam } from '../../iam/local-iam.ts';
import { operation } from '../../kernel/define.ts';
import { invalid } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { assumeRole } from './operations/assume-role.ts';

/** AWS Security Token Service: who am I, and sessions of roles. */
export function createStsService(kernel: Kernel, iam: LocalIam): Service {
  return {
    name: 'sts',
    signingNames: ['sts'],
    protocols: [
      queryProtocol({
        apiVersion: '2011-06-15',
        namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
        inputTypes: { AssumeRole: { DurationSeconds: 'number' } },
      }),
    ],
    // Sessions are kept with the identities.
    state: undefined,
    operations: {
      AssumeRole: assumeRole(iam),
      GetCallerIdentity: operation<unknown, Omit<GetCallerIdentityCommandOutput, '$metadata'>>({
        // AWS asks for no permission.
        permissions: () => [],
        run: (_input, { caller }) => {
          if (caller.kind === 'service') throw invalid('A service has no identity to show', 'AccessDenied');
          const id = caller.kind === 'role' ? iam.store.role(caller.roleName).id : undefined;
          return {
            UserId: caller.kind === 'role' ? `${id}:${caller.sessionName}` : userId(iam, caller),
            Account: kernel.accountId,
            Arn: caller.arn,
          };
        },
      }),
    },
  };
}

function userId(
  iam: LocalIam,
  caller: { readonly kind: string; readonly userName?: string; readonly accountId: string },
): string {
  return iam.store.users.get(caller.userName ?? '')?.id ?? caller.accountId;
}
