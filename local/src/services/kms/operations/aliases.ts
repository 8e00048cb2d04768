import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import { notFound } from '../errors.ts';
import type { Alias, Keys } from '../keys.ts';

interface AliasInput {
  readonly AliasName?: string;
  readonly TargetKeyId?: string;
}

function checkName(name = ''): string {
  if (!/^alias\/[\w/-]{1,250}$/.test(name)) {
    throw invalid(`AliasName is ${JSON.stringify(name)}; it is alias/ and up to 250 letters, digits, _, / or -.`);
  }
  // "You cannot begin alias name with alias/aws/": those are the keys that AWS manages.
  if (name.startsWith('alias/aws/')) throw new AwsError('NotAuthorizedException', `${name} is reserved for AWS.`);
  return name;
}

function find(keys: Keys, name = ''): Alias {
  const alias = keys.aliases.get(checkName(name));
  if (alias) return alias;
  throw notFound(`Alias ${keys.kernel.arn('kms', name)} is not found.`);
}

/** "kms:CreateAlias on the alias (in an IAM policy), kms:CreateAlias on the key (in a key policy)." */
function permissions(keys: Keys, action: string, name: string, targets: readonly string[]): readonly Permission[] {
  const onKeys = targets.map((target) => keys.permission(action, keys.get(target)));
  return [{ action: `kms:${action}`, resource: keys.kernel.arn('kms', name) }, ...onKeys];
}

/** The operations on aliases: https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html */
export function aliasOperations(keys: Keys): Readonly<Record<string, AnyOperation>> {
  return {
    CreateAlias: operation<AliasInput, object>({
      permissions: ({ AliasName, TargetKeyId }) =>
        permissions(keys, 'CreateAlias', checkName(AliasName), [TargetKeyId ?? '']),
      run({ AliasName, TargetKeyId }) {
        const name = checkName(AliasName);
        const key = keys.get(TargetKeyId);
        if (keys.aliases.has(name)) {
          const arn = keys.kernel.arn('kms', name);
          throw new AwsError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
        }
        key.requireNotPendingDeletion();
        keys.addAlias(name, key);
        return {};
      },
    }),
    UpdateAlias: operation<AliasInput, object>({
      permissions(input) {
        const alias = find(keys, input.AliasName);
        return permissions(keys, 'UpdateAlias', alias.name, [alias.targetKeyId, input.TargetKeyId ?? '']);
      },
      run(input) {
        const alias = find(keys, input.AliasName);
        const [from, to] = [keys.get(alias.targetKeyId), keys.get(input.TargetKeyId)];
        to.requireNotPendingDeletion();
        if (from.spec.usage !== to.spec.usage) {
          throw invalid(
            `Alias ${alias.name} cannot change from a key for ${from.spec.usage} to one for ${to.spec.usage}.`,
          );
        }
        alias.targetKeyId = to.id;
        alias.updatedAt = keys.kernel.clock.now();
        return {};
      },
    }),
    DeleteAlias: operation<AliasInput, object>({
      permissions({ AliasName }) {
        const alias = find(keys, AliasName);
        return permissions(keys, 'DeleteAlias', alias.name, [alias.targetKeyId]);
      },
      run({ AliasName }) {
        keys.aliases.delete(find(keys, AliasName).name);
        return {};
      },
    }),
    ListAliases: operation<{ readonly KeyId?: string }, object>({
      permissions: () => [{ action: 'kms:ListAliases', resource: '*' }],
      run({ KeyId }) {
        const listed = KeyId === undefined ? [...keys.aliases.values()] : keys.aliasesOf(keys.get(KeyId));
        return { Aliases: listed.map(show), Truncated: false };
      },
    }),
  };
}

function show({ name, arn, targetKeyId, createdAt, updatedAt }: Alias) {
  return {
    AliasName: name,
    AliasArn: arn,
    TargetKeyId: targetKeyId,
    CreationDate: new Date(createdAt),
    LastUpdatedDate: new Date(updatedAt),
  };
}
