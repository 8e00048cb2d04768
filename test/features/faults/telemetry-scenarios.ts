/** Messages of a thing in one batch of the stream: what the telemetry function makes of them. */
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { anonymous, type Scenario } from './scenario.ts';

/** The start of an hour that lies in the past. */
const HOUR = Math.floor(Date.now() / 3_600_000 - 2) * 3_600_000;

async function publish(iot: IoTDataPlaneClient, thing: string, message: unknown): Promise<void> {
  const topic = `device/${thing}/sensor/temperature/v1`;
  await iot.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(message)) }));
}

async function outcomeOf(platform: Platform, thing: string): Promise<unknown> {
  const quarantined = (await platform.receive('telemetryQuarantine')).filter((each) => each.thing === thing);
  const outcome = {
    history: (await platform.history(thing, 'temperature')).map(({ sk, value }) => ({ sk, value })),
    latest: await platform.latest(thing, 'temperature'),
    hour: await platform.hour(thing, 'temperature', HOUR),
    rates: (await platform.rates(thing)).map(({ messages, reported }) => ({ messages, reported })),
    // A queue cannot take a message exactly once: what is malformed is there at least once.
    quarantined: new Set(quarantined.map(({ reason, sequenceNumber }) => `${sequenceNumber} ${reason}`)).size,
    failed: await platform.messagesIn('thingstead-telemetry-failed', 'thingstead-telemetry-errors'),
  };
  // In how many writes the counts came about does not matter.
  return anonymous(outcome, { [thing]: 'thing' }, ['receivedAt', 'shards', 'version', 'expiresAt']);
}

export const telemetryScenarios: readonly Scenario[] = [
  {
    title: 'two readings of an hour, and a message that is none',
    functionName: 'thingstead-telemetry',
    settleSeconds: 300,
    expected: {
      latest: { value: 22 },
      hour: { count: 2, sum: 42 },
      rates: [{ messages: 3 }],
      quarantined: 1,
      failed: 0,
    },
    async begin(platform, run) {
      const iot = new IoTDataPlaneClient(platform.config);
      const thing = unique(`crashing${run}`);
      return {
        async act() {
          // One batch: the stream is read when its window of five seconds is over.
          await publish(iot, thing, { id: 'boot-1', value: 20, time: HOUR + 60_000 });
          await publish(iot, thing, { id: 'boot-2', value: 22, time: HOUR + 61_000 });
          await publish(iot, thing, { id: 'boot-3', value: { no: 'reading' }, time: HOUR + 62_000 });
          await platform.advance(10);
        },
        outcome: () => outcomeOf(platform, thing),
      };
    },
  },
];
