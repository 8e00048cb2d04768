import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { VoiceReport } from '@thingstead/contracts/voice';
import type { ReportQueue } from '../voice-reports/ports.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_BATCH = 10;

/** The queue of reports to Alexa. */
export class VoiceReportQueue implements ReportQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /** @throws Error when SQS has not taken all of them: some may be there twice when it is tried again. */
  async send(reports: readonly VoiceReport[]): Promise<void> {
    for (let from = 0; from < reports.length; from += MAX_BATCH) {
      const Entries = reports
        .slice(from, from + MAX_BATCH)
        .map((report, index) => ({ Id: `${index}`, MessageBody: JSON.stringify(report) }));
      const { Failed = [] } = await this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.#url, Entries }));
      if (Failed.length > 0) throw new Error(`SQS has not taken ${Failed.length} reports: ${Failed[0]?.Message}`);
    }
  }
}
