import { GRANT_PREFIX } from '@thingstead/contracts/grants';
import { validate } from '@thingstead/contracts/validate';
import { VoiceReport } from '@thingstead/contracts/voice';
import type { DynamoDBRecord, DynamoDBStreamEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import type { Ports, ReportQueue } from './ports.ts';
import { reportChange } from './report-change.ts';
import { reportGrant } from './report-grant.ts';

const CONCURRENCY = 5;

/** Something that no rule and no function of ours puts on the queue. It ends in the queue of failures. */
export class InvalidReportError extends Error {
  override readonly name = 'InvalidReportError';
}

/**
 * The handler of the queue of reports, and of the stream of the access table, whose changes it puts on that queue: a gateway that
 * does not answer must not hold up a stream.
 */
export function createHandler(
  ports: Ports & { readonly queue: ReportQueue },
): (event: SQSEvent | DynamoDBStreamEvent) => Promise<SQSBatchResponse> {
  return async ({ Records }) => {
    const changes = Records.filter((record) => 'dynamodb' in record);
    if (changes.length > 0) {
      await ports.queue.send(changes.flatMap(reportOf));
      return { batchItemFailures: [] };
    }
    const messages = Records.filter((record) => 'messageId' in record);
    const failed = await mapConcurrent(messages, CONCURRENCY, async ({ messageId, body }) => {
      try {
        await work(parse(body), ports);
        return [];
      } catch (error) {
        ports.reports.failed('report', error);
        return [{ itemIdentifier: messageId }];
      }
    });
    return { batchItemFailures: failed.flat() };
  };
}

async function work(report: VoiceReport, ports: Ports): Promise<void> {
  if (report.kind === 'shadow') return reportChange(report, ports);
  if (report.kind === 'grant') return reportGrant(report, ports);
  const link = await ports.links.find(report.person);
  if (!link) return ports.links.forget(report.person);
  await ports.links.remove(link);
  ports.reports.unlinked(report.person, 'the person has left');
}

/** What a change of the access table is about; the row itself is read again when it is this one's turn. */
function reportOf({ eventName, dynamodb }: DynamoDBRecord): readonly VoiceReport[] {
  const person = dynamodb?.Keys?.pk?.S?.replace(/^person#/, '') ?? '';
  const sk = dynamodb?.Keys?.sk?.S ?? '';
  if (sk.startsWith(GRANT_PREFIX)) return [{ kind: 'grant', person, target: sk.slice(GRANT_PREFIX.length) }];
  return sk === 'profile' && eventName === 'REMOVE' ? [{ kind: 'person-left', person }] : [];
}

function parse(body: string): VoiceReport {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new InvalidReportError('a message on the queue is no JSON', { cause: error });
  }
  const report = validate(VoiceReport, value);
  if (!report.ok) throw new InvalidReportError(`a message on the queue cannot be read: ${report.reason}`);
  return report.value;
}
