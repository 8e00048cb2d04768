import type { CreateRoleAliasResponse } from '@aws-sdk/client-iot';
import type { ResourceHandler } from '../../../template/resource-handler.ts';

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
      const { RoleArn: roleArn, CredentialDurationSeconds: seconds, Tags: tags } = properties;
      // Templates may write numbers as text.
      const credentialDurationSeconds = seconds === undefined ? undefined : Number(seconds);
      const input = { roleAlias, roleArn, credentialDurationSeconds, tags };
      const created = await kernel.call<CreateRoleAliasResponse>('iot', 'CreateRoleAlias', input, caller);
      return { ref: roleAlias, attributes: { RoleAliasArn: created.roleAliasArn } };
    },
  },
];
