import { paginateQuery } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { ReadingValue } from '@thingstead/contracts/telemetry';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Cloud } from './cloud.ts';

const PREFIX = 'latest#';

/** The part of a row of latest values that is shown. */
const LatestRow = v.object({
  value: ReadingValue,
  time: v.number(),
  unit: v.optional(v.string()),
  /** The device's clock was far off, so `time` is the time of arrival. */
  clock: v.optional(v.string()),
});

export interface LatestReading extends v.InferOutput<typeof LatestRow> {
  readonly sensor: string;
}

/** The latest value of each sensor of a thing. */
export async function latestReadings({ tables }: Cloud, thing: string): Promise<readonly LatestReading[]> {
  const readings: LatestReading[] = [];
  const pages = paginateQuery(
    { client: tables },
    {
      TableName: TABLE_NAMES.telemetryAggregates,
      KeyConditionExpression: 'pk = :thing AND begins_with(sk, :latest)',
      ExpressionAttributeValues: { ':thing': thing, ':latest': PREFIX },
    },
  );
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const row = parseRow(LatestRow, item, `${thing} ${item.sk}`);
      readings.push({ sensor: String(item.sk).slice(PREFIX.length), ...row });
    }
  }
  return readings;
}

/** `21.5 Cel` */
export function formatValue({ value, unit }: Pick<LatestReading, 'value' | 'unit'>): string {
  return unit === undefined ? String(value) : `${value} ${unit}`;
}
