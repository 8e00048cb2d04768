import type { CreateRoleAliasResponse } from '@aws-sdk/client-iot';
import type { ResourceHandler, ResourceRequest } from '../../../template/resource-handler.ts';

const DEFAULT_SECONDS = 3600;

/** Role aliases in templates. */
export const roleAliasResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::IoT::RoleAlias',
    properties: {
      CredentialDurationSeconds: 'executed',
      RoleAlias: 'executed',
      RoleArn: 'executed',
      Tags: [{ Key: 'executed', Value: 'executed' }],
    },
    async create({ kernel, caller, generatedName, properties }) {
      const roleAlias = String(properties.RoleAlias ?? generatedName);
      const input = { roleAlias, ...settingsOf(properties), tags: properties.Tags };
      const created = await kernel.call<CreateRoleAliasResponse>('iot', 'CreateRoleAlias', input, caller);
      return { ref: roleAlias, attributes: { RoleAliasArn: created.roleAliasArn } };
    },
    update: {
      properties: ['CredentialDurationSeconds', 'RoleArn'],
      async by({ kernel, caller, properties }, before) {
        const { roleArn, credentialDurationSeconds = DEFAULT_SECONDS } = settingsOf(properties);
        const input = { roleAlias: before.ref, roleArn, credentialDurationSeconds };
        await kernel.call('iot', 'UpdateRoleAlias', input, caller);
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: roleAlias }) => kernel.call('iot', 'DeleteRoleAlias', { roleAlias }, caller),
  },
];

function settingsOf({ RoleArn: roleArn, CredentialDurationSeconds: seconds }: ResourceRequest['properties']) {
  // Templates may write numbers as text.
  return { roleArn, credentialDurationSeconds: seconds === undefined ? undefined : Number(seconds) };
}
