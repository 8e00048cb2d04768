import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { batchGetItem, batchWriteItem } from './operations/batch-items.ts';
import { createTable } from './operations/create-table.ts';
import { deleteItem } from './operations/delete-item.ts';
import { getItem } from './operations/get-item.ts';
import { putItem } from './operations/put-item.ts';
import { query } from './operations/query.ts';
import { scan } from './operations/scan.ts';
import {
  describeContinuousBackups,
  describeTimeToLive,
  listTagsOfResource,
  tagResource,
  untagResource,
  updateContinuousBackups,
  updateTimeToLive,
} from './operations/table-settings.ts';
import { deleteTable, describeTable, listTables, updateTable } from './operations/tables.ts';
import { transactGetItems } from './operations/transact-get-items.ts';
import { transactWriteItems } from './operations/transact-write-items.ts';
import { updateItem } from './operations/update-item.ts';
import { describeStream, listStreams } from './streams/describe-streams.ts';
import { getRecords, getShardIterator } from './streams/get-records.ts';
import { Tables } from './tables.ts';

export type { GetRecordsOutput, StreamRecordShape } from './streams/get-records.ts';

/**
 * DynamoDB. Requests are checked and expressions parsed by dynalite; items are kept, and expressions evaluated, here.
 * The API of streams, `DynamoDBStreams`, is signed as DynamoDB's, with the same actions in policies; it is served here.
 * Inside the process attribute values have their JSON form: binary is base64 text.
 */
export function createDynamodbService(kernel: Kernel): Service {
  const tables = new Tables(kernel);
  return {
    name: 'dynamodb',
    signingNames: ['dynamodb'],
    protocols: [jsonProtocol({ version: '1.0', targetPrefix: ['DynamoDB_20120810', 'DynamoDBStreams_20120810'] })],
    operations: {
      BatchGetItem: batchGetItem(tables),
      BatchWriteItem: batchWriteItem(tables),
      CreateTable: createTable(tables),
      DeleteItem: deleteItem(tables),
      DeleteTable: deleteTable(tables),
      DescribeContinuousBackups: describeContinuousBackups(tables),
      DescribeStream: describeStream(tables.streams),
      DescribeTable: describeTable(tables),
      DescribeTimeToLive: describeTimeToLive(tables),
      GetItem: getItem(tables),
      GetRecords: getRecords(tables.streams),
      GetShardIterator: getShardIterator(tables.streams),
      ListStreams: listStreams(tables.streams),
      ListTables: listTables(tables),
      ListTagsOfResource: listTagsOfResource(tables),
      PutItem: putItem(tables),
      Query: query(tables),
      Scan: scan(tables),
      TagResource: tagResource(tables),
      TransactGetItems: transactGetItems(tables),
      TransactWriteItems: transactWriteItems(tables),
      UntagResource: untagResource(tables),
      UpdateContinuousBackups: updateContinuousBackups(tables),
      UpdateItem: updateItem(tables),
      UpdateTable: updateTable(tables),
      UpdateTimeToLive: updateTimeToLive(tables),
    },
    state: tables,
  };
}
