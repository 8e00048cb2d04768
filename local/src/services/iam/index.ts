import { queryProtocol } from '../../http/protocols/index.ts';
import type { LocalIam } from '../../iam/local-iam.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import type { IamContext } from './iam-context.ts';
import { attachmentOperations } from './operations/attachments.ts';
import { createPolicy } from './operations/create-policy.ts';
import { createRole } from './operations/create-role.ts';
import { inlinePolicyOperations } from './operations/inline-policies.ts';
import { managedPolicyOperations } from './operations/managed-policies.ts';
import { roleOperations } from './operations/roles.ts';

/** AWS Identity and Access Management: roles and their policies. Users, groups and access keys are not emulated. */
export function createIamService(kernel: Kernel, iam: LocalIam): Service {
  const context: IamContext = { store: iam.store, now: () => kernel.clock.now() };
  return {
    name: 'iam',
    signingNames: ['iam'],
    protocols: [
      queryProtocol({
        apiVersion: '2010-05-08',
        namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
        inputTypes: {
          '*': { MaxItems: 'number', MaxSessionDuration: 'number', OnlyAttached: 'boolean', Tags: 'list' },
        },
      }),
    ],
    operations: {
      CreatePolicy: createPolicy(context),
      CreateRole: createRole(context),
      ...roleOperations(context),
      ...inlinePolicyOperations(context),
      ...managedPolicyOperations(context),
      ...attachmentOperations(context),
    },
    state: iam.state,
  };
}
