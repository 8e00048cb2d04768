import { paginateQuery } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { LatestItem, latestKey } from '@thingstead/contracts/telemetry-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { Cloud } from './cloud.ts';

/** What is shown of a latest value. */
export type LatestReading = Pick<LatestItem, 'sensor' | 'value' | 'unit' | 'time' | 'clock'>;

/** The latest value of each sensor of a thing. */
export async function latestReadings({ tables }: Cloud, thing: string): Promise<readonly LatestReading[]> {
  const readings: LatestReading[] = [];
  const pages = paginateQuery(
    { client: tables },
    {
      TableName: TABLE_NAMES.telemetryAggregates,
      KeyConditionExpression: 'pk = :thing AND begins_with(sk, :latest)',
      ExpressionAttributeValues: { ':thing': thing, ':latest': latestKey(thing, '').sk },
    },
  );
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const { sensor, value, unit, time, clock } = parseRow(LatestItem, item, `${item.pk} ${item.sk}`);
      readings.push({
        ...{ sensor, value, time },
        ...(unit === undefined ? {} : { unit }),
        ...(clock === undefined ? {} : { clock }),
      });
    }
  }
  return readings;
}

/** `21.5 Cel` */
export function formatValue({ value, unit }: Pick<LatestReading, 'value' | 'unit'>): string {
  return unit === undefined ? String(value) : `${value} ${unit}`;
}
