import type { GetRetainedMessageRequest, ListRetainedMessagesRequest } from '@aws-sdk/client-iot-data-plane';
import { AwsError } from '../../../../kernel/errors.ts';
import type { Kernel } from '../../../../kernel/kernel.ts';
import type { RetainedMessages } from '../../broker/retained-messages.ts';
import { type AnyDataOperation, dataOperation, required } from '../data-operation.ts';
import { paginate } from '../paginate.ts';

/** https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_GetRetainedMessage.html and ListRetainedMessages. */
export function retainedMessageOperations(
  kernel: Kernel,
  retained: RetainedMessages,
): Readonly<Record<string, AnyDataOperation>> {
  return {
    GetRetainedMessage: dataOperation<GetRetainedMessageRequest, unknown>({
      permissions: ({ topic }) => [
        { action: 'iot:GetRetainedMessage', resource: kernel.arn('iot', `topic/${required(topic, 'topic')}`) },
      ],
      run({ topic }) {
        const message = retained.find(required(topic, 'topic'), kernel.clock.now());
        if (!message) {
          throw new AwsError('ResourceNotFoundException', `No message is retained on the topic ${topic}`, 404);
        }
        const { userProperties } = message.properties;
        return {
          topic: message.topic,
          payload: message.payload,
          qos: message.qos,
          lastModifiedTime: message.receivedAt,
          ...(userProperties && {
            userProperties: Buffer.from(JSON.stringify(userProperties.map(([key, value]) => ({ [key]: value })))),
          }),
        };
      },
    }),
    ListRetainedMessages: dataOperation<ListRetainedMessagesRequest, unknown>({
      // AWS has no resource for this action (iot-action-resources).
      permissions: () => [{ action: 'iot:ListRetainedMessages', resource: '*' }],
      run({ nextToken, maxResults }) {
        const page = paginate(retained.list(kernel.clock.now()), nextToken, maxResults ?? 25, 200);
        return {
          retainedTopics: page.items.map(({ topic, payload, qos, receivedAt }) => ({
            topic,
            payloadSize: payload.length,
            qos,
            lastModifiedTime: receivedAt,
          })),
          ...(page.nextToken !== undefined && { nextToken: page.nextToken }),
        };
      },
    }),
  };
}
