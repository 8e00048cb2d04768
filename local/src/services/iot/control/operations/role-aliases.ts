import type {
  CreateRoleAliasCommandInput,
  CreateRoleAliasResponse,
  DeleteRoleAliasCommandInput,
  DescribeRoleAliasCommandInput,
  DescribeRoleAliasResponse,
  ListRoleAliasesCommandInput,
  ListRoleAliasesResponse,
  UpdateRoleAliasCommandInput,
  UpdateRoleAliasResponse,
} from '@aws-sdk/client-iot';
import { passRolePermission } from '../../../../iam/pass-role.ts';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { matching, required } from '../errors.ts';
import { page } from '../page.ts';
import { taggingPermissions } from './tags.ts';

const ALIAS_NAME = /^[\w=,@-]{1,128}$/;
const PROVIDER = 'credentials.iot.amazonaws.com';

function checkAlias(name: string | undefined): string {
  return matching(name, 'roleAlias', ALIAS_NAME);
}

/**
 * Names for roles that devices may take with their certificates
 * (https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html). Who sets the role needs PassRole.
 */
export function roleAliasOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { kernel, roleAliases, tags: resourceTags } = plane;
  const onAlias = (action: string, name: string | undefined) => on(plane, action, `rolealias/${checkAlias(name)}`);
  return {
    CreateRoleAlias: operation<CreateRoleAliasCommandInput, CreateRoleAliasResponse>({
      permissions: ({ roleAlias, roleArn, tags }) => [
        ...taggingPermissions(onAlias('CreateRoleAlias', roleAlias), tags),
        passRolePermission(required(roleArn, 'roleArn'), PROVIDER),
      ],
      run({ roleAlias, roleArn, credentialDurationSeconds, tags }) {
        resourceTags.check(tags);
        const { name, arn } = roleAliases.create(
          checkAlias(roleAlias),
          required(roleArn, 'roleArn'),
          credentialDurationSeconds,
        );
        resourceTags.add(arn, tags);
        return { roleAlias: name, roleAliasArn: arn };
      },
    }),
    DescribeRoleAlias: operation<DescribeRoleAliasCommandInput, DescribeRoleAliasResponse>({
      permissions: ({ roleAlias }) => onAlias('DescribeRoleAlias', roleAlias),
      run({ roleAlias }) {
        const alias = roleAliases.get(checkAlias(roleAlias));
        return {
          roleAliasDescription: {
            roleAlias: alias.name,
            roleAliasArn: alias.arn,
            roleArn: alias.roleArn,
            owner: kernel.accountId,
            credentialDurationSeconds: alias.durationSeconds,
            creationDate: new Date(alias.createdAt),
            lastModifiedDate: new Date(alias.lastModifiedAt),
          },
        };
      },
    }),
    UpdateRoleAlias: operation<UpdateRoleAliasCommandInput, UpdateRoleAliasResponse>({
      permissions: ({ roleAlias, roleArn }) => [
        ...onAlias('UpdateRoleAlias', roleAlias),
        ...(roleArn === undefined ? [] : [passRolePermission(roleArn, PROVIDER)]),
      ],
      run({ roleAlias, roleArn, credentialDurationSeconds }) {
        const { name, arn } = roleAliases.update(checkAlias(roleAlias), roleArn, credentialDurationSeconds);
        return { roleAlias: name, roleAliasArn: arn };
      },
    }),
    DeleteRoleAlias: operation<DeleteRoleAliasCommandInput, object>({
      permissions: ({ roleAlias }) => onAlias('DeleteRoleAlias', roleAlias),
      run({ roleAlias }) {
        resourceTags.forget(roleAliases.delete(checkAlias(roleAlias)).arn);
        return {};
      },
    }),
    ListRoleAliases: operation<ListRoleAliasesCommandInput, ListRoleAliasesResponse>({
      permissions: () => onAll('ListRoleAliases'),
      run({ pageSize, marker, ascendingOrder }) {
        const request = { size: pageSize, token: marker, descending: ascendingOrder !== true };
        const { items, next } = page(roleAliases.all, ({ name }) => name, request);
        return { roleAliases: items.map(({ name }) => name), nextMarker: next };
      },
    }),
  };
}
