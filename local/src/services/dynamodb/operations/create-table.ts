import type { CreateTableCommandInput, TableDescription } from '@aws-sdk/client-dynamodb';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describeTable } from '../describe-table.ts';
import { validate } from '../dynalite.ts';
import { readStreamSpecification } from '../streams/table-streams.ts';
import type { TableDefinition, TableSettings } from '../table.ts';
import type { Tables } from '../tables.ts';

/** What the API offers and the service does not do. */
const REFUSED = ['OnDemandThroughput', 'WarmThroughput', 'ResourcePolicy'] as const;

/** @throws AwsError NotEmulated that names the first of these members which the input has */
export function refuse(input: unknown, operationName: string, names: readonly string[]): void {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>;
  const found = names.find((name) => given[name] !== undefined);
  if (found === undefined) return;
  throw new AwsError('NotEmulated', `The local runtime does not emulate ${found} of dynamodb:${operationName}.`, 501);
}

/** @throws AwsError ValidationException beyond 50 tags or for a tag without a key */
export function checkTags(tags: unknown): readonly { readonly Key: string; readonly Value: string }[] {
  if (tags === undefined) return [];
  const valid = Array.isArray(tags) && tags.length <= 50 && tags.every((tag) => typeof tag?.Key === 'string');
  if (!valid) throw invalid('Tags must be at most 50 pairs of Key and Value');
  return tags;
}

/** CreateTable. The table is ACTIVE at once: waiting for it succeeds on the first look. */
export function createTable(tables: Tables): AnyOperation {
  return operation<CreateTableCommandInput, { TableDescription: TableDescription }>({
    permissions: ({ TableName, Tags }) => [
      { action: 'dynamodb:CreateTable', resource: tables.arn(tables.nameOf(TableName)) },
      ...(Tags?.length ? [{ action: 'dynamodb:TagResource', resource: tables.arn(tables.nameOf(TableName)) }] : []),
    ],
    run(input) {
      refuse(input, 'CreateTable', REFUSED);
      const named = { ...input, TableName: tables.nameOf(input.TableName) };
      const definition = validate<TableDefinition>('CreateTable', named);
      const tags = checkTags(input.Tags);
      const stream = input.StreamSpecification && readStreamSpecification(input.StreamSpecification);
      const settings: TableSettings = {
        billingMode: definition.BillingMode ?? 'PROVISIONED',
        provisionedThroughput: definition.ProvisionedThroughput,
        deletionProtection: input.DeletionProtectionEnabled ?? false,
        sse: input.SSESpecification,
        tableClass: input.TableClass === 'STANDARD_INFREQUENT_ACCESS' ? input.TableClass : 'STANDARD',
        pointInTimeRecovery: undefined,
      };
      const table = tables.create(definition, settings);
      if (stream !== undefined && stream !== 'disabled') tables.streams.enable(table, stream);
      for (const { Key, Value } of tags) table.tags.set(Key, Value);
      return { TableDescription: describeTable(table) };
    },
  });
}
