import { targetKey } from '@thingstead/contracts/grants';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { checkSession } from './end-sessions.ts';
import type { Ports } from './ports.ts';
import { type Change, readRecord } from './read-records.ts';
import { type PersonChanges, reconcile } from './reconcile.ts';

/** AWS IoT takes 10 to 15 requests a second of each kind that policies need. */
const CONCURRENCY = 5;

interface Work {
  readonly what: string;
  /** Positions of the records in the batch. */
  readonly records: number[];
  run(): Promise<void>;
}

/**
 * The handler of the access table's stream. Changes of one person in a batch are one reconciliation. What fails comes again,
 * with all records after it: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function createHandler(ports: Ports): (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse> {
  return async ({ Records }) => {
    const failed = await mapConcurrent(plan(Records, ports), CONCURRENCY, async ({ what, records, run }) => {
      try {
        await run();
        return [];
      } catch (error) {
        ports.reports.failed(what, error);
        return records;
      }
    });
    const first = failed.flat().sort((one, other) => one - other)[0];
    const itemIdentifier = first === undefined ? undefined : Records[first]?.dynamodb?.SequenceNumber;
    return { batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }] };
  };
}

function plan(records: readonly DynamoDBRecord[], ports: Ports): readonly Work[] {
  const people = new Map<string, { readonly records: number[]; readonly changes: PersonChanges[] }>();
  const work: Work[] = [];
  for (const [at, record] of records.entries()) {
    const change = read(record);
    if (change instanceof Error) {
      work.push({ what: 'a record of the stream', records: [at], run: () => Promise.reject(change) });
    } else if (change?.kind === 'session') {
      const { identityId, session } = change;
      work.push({
        what: `the connection ${session.clientId}`,
        records: [at],
        run: () => checkSession(identityId, session, ports),
      });
    } else if (change) {
      const of = people.get(change.changes.person) ?? { records: [], changes: [] };
      of.records.push(at);
      of.changes.push(change.changes);
      people.set(change.changes.person, of);
    }
  }
  for (const [person, { records: positions, changes }] of people) {
    work.push({
      what: `the access of ${person}`,
      records: positions,
      run: () => reconcile(merge(person, changes), ports),
    });
  }
  return work;
}

function read(record: DynamoDBRecord): Change | undefined | Error {
  try {
    return readRecord(record);
  } catch (error) {
    return error instanceof Error ? error : new Error('a record cannot be read', { cause: error });
  }
}

function merge(person: string, changes: readonly PersonChanges[]): PersonChanges {
  const targets = new Map(changes.flatMap((each) => each.targets.map((target) => [targetKey(target), target])));
  // Of an end that was changed, only the last counts.
  const endings = new Map(changes.flatMap((each) => each.endings.map((end) => [targetKey(end.target), end])));
  return {
    person,
    targets: [...targets.values()],
    endings: [...endings.values()],
    identities: [...new Set(changes.flatMap((each) => each.identities))],
  };
}
