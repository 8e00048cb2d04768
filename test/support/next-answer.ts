import type { DeviceClient } from './device-client.ts';

const ANSWER_TIMEOUT_MS = 30_000;

/** The next message below `prefix`, which the client has subscribed to: the end of its topic is the verdict. */
export function nextAnswer<Message>(
  client: DeviceClient,
  prefix: string,
): Promise<{ readonly verdict: string } & Partial<Message>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer below ${prefix}`)), ANSWER_TIMEOUT_MS);
    const take = (topic: string, payload: Buffer): void => {
      if (!topic.startsWith(prefix)) return;
      clearTimeout(timer);
      client.off('message', take);
      resolve({ verdict: topic.slice(prefix.length), ...JSON.parse(payload.toString()) });
    };
    client.on('message', take);
  });
}
