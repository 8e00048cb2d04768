import type {
  DeleteTableCommandInput,
  DescribeTableCommandInput,
  ListTablesCommandInput,
  TableDescription,
  UpdateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describeTable as description } from '../describe-table.ts';
import { validate } from '../dynalite.ts';
import { readStreamSpecification } from '../streams/table-streams.ts';
import type { Tables } from '../tables.ts';
import { refuse } from './create-table.ts';

/** DescribeTable. */
export function describeTable(tables: Tables): AnyOperation {
  return operation<DescribeTableCommandInput, { Table: TableDescription }>({
    permissions: ({ TableName }) => [
      { action: 'dynamodb:DescribeTable', resource: tables.arn(tables.nameOf(TableName)) },
    ],
    run: ({ TableName }) => ({ Table: description(tables.describe(tables.nameOf(TableName))) }),
  });
}

/** ListTables: names in alphabetical order, 100 per page. */
export function listTables(tables: Tables): AnyOperation {
  return operation<ListTablesCommandInput, { TableNames: string[]; LastEvaluatedTableName?: string }>({
    permissions: () => [{ action: 'dynamodb:ListTables', resource: '*' }],
    run(input) {
      const { Limit = 100, ExclusiveStartTableName: start } = validate<ListTablesCommandInput>('ListTables', input);
      const names = tables.names.filter((name) => start === undefined || name > start);
      const page = names.slice(0, Limit);
      const last = page.at(-1);
      return {
        TableNames: page,
        ...(names.length > page.length && last !== undefined && { LastEvaluatedTableName: last }),
      };
    },
  });
}

/** DeleteTable, which deletion protection forbids. */
export function deleteTable(tables: Tables): AnyOperation {
  return operation<DeleteTableCommandInput, { TableDescription: TableDescription }>({
    permissions: ({ TableName }) => [
      { action: 'dynamodb:DeleteTable', resource: tables.arn(tables.nameOf(TableName)) },
    ],
    run({ TableName }) {
      const table = tables.describe(tables.nameOf(TableName));
      if (table.settings.deletionProtection) {
        throw invalid(
          `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
        );
      }
      tables.delete(table);
      return { TableDescription: description(table, 'DELETING') };
    },
  });
}

/** UpdateTable: billing mode, stream, throughput, encryption, table class and deletion protection. Indexes stay as created. */
export function updateTable(tables: Tables): AnyOperation {
  return operation<UpdateTableCommandInput, { TableDescription: TableDescription }>({
    permissions: ({ TableName }) => [
      { action: 'dynamodb:UpdateTable', resource: tables.arn(tables.nameOf(TableName)) },
    ],
    run(input) {
      refuse(input, 'UpdateTable', [
        'GlobalSecondaryIndexUpdates',
        'ReplicaUpdates',
        'OnDemandThroughput',
        'WarmThroughput',
      ]);
      const table = tables.describe(tables.nameOf(input.TableName));
      const { settings } = table;
      if (input.BillingMode === 'PROVISIONED' && !(input.ProvisionedThroughput ?? settings.provisionedThroughput)) {
        throw invalid(
          'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
        );
      }
      // All that can be refused is refused before anything changes.
      if (input.StreamSpecification !== undefined) {
        const wanted = readStreamSpecification(input.StreamSpecification);
        if (wanted === 'disabled') tables.streams.disable(table);
        else tables.streams.enable(table, wanted);
      }
      if (input.BillingMode === 'PAY_PER_REQUEST' || input.BillingMode === 'PROVISIONED') {
        settings.billingMode = input.BillingMode;
      }
      settings.provisionedThroughput = input.ProvisionedThroughput ?? settings.provisionedThroughput;
      settings.deletionProtection = input.DeletionProtectionEnabled ?? settings.deletionProtection;
      settings.sse = input.SSESpecification ?? settings.sse;
      if (input.TableClass === 'STANDARD' || input.TableClass === 'STANDARD_INFREQUENT_ACCESS') {
        settings.tableClass = input.TableClass;
      }
      return { TableDescription: description(table) };
    },
  });
}
