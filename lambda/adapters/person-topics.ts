import { PublishCommand, type SNSClient, SNSServiceException } from '@aws-sdk/client-sns';
import type { Message } from '../notifications/compose.ts';
import type { Published, Topics } from '../notifications/ports.ts';

/** People's topics in SNS. The client must have `maxAttempts: 1`: a second attempt could be a second message. */
export class PersonTopics implements Topics {
  readonly #client: SNSClient;

  constructor(client: SNSClient) {
    this.#client = client;
  }

  async publish(TopicArn: string, { subject, byProtocol }: Message): Promise<Published> {
    const message = { Subject: subject, Message: JSON.stringify(byProtocol), MessageStructure: 'json' };
    try {
      const { MessageId = '' } = await this.#client.send(new PublishCommand({ TopicArn, ...message }));
      return { outcome: 'accepted', messageId: MessageId };
    } catch (error) {
      return { outcome: isRefusal(error) ? 'refused' : 'unknown', reason: String(error) };
    }
  }
}

/** SNS has answered with an error. Without an answer, or with half of one, it may have taken the message. */
function isRefusal(error: unknown): boolean {
  return error instanceof SNSServiceException && (error.$metadata.httpStatusCode ?? 0) >= 400;
}
