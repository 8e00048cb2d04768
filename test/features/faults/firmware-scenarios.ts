/** Firmware that is released, withdrawn and asked for: what its two functions make of it. */
import { randomBytes } from 'node:crypto';
import { firmwareTopic } from '@thingstead/contracts/topics';
import type { Platform } from '../../support/platform.ts';
import { type FirmwarePlatform, HARDWARE, newNonce, put } from '../firmware/firmware-platform.ts';
import { firmwareWorld } from './firmware-world.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
/** Lambda tries again after one minute and after two. */
const settleSeconds = 240;

/** As an operator does it: the same request until there is an answer. */
async function untilAnswered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

/** A product of this run alone, and its operator, whose token lives for 15 minutes. */
async function productOf(platform: Platform) {
  const on = await firmwareWorld(platform);
  await on.operator.refresh();
  return { on, product: `p${randomBytes(4).toString('hex')}` };
}

async function releasesOf(platform: Platform, on: FirmwarePlatform, product: string): Promise<unknown> {
  await on.operator.refresh();
  const { releases } = await on.operator.api.listReleases({ params: { product }, query: {} });
  const current = await on.operator.call('GET', `/operator/firmware/current/${product}`);
  return {
    releases: releases.map(({ counter, state, reason }) => ({ counter, state, reason })),
    current: current.status === 404 ? null : current.body.counter,
    failed: await failures(platform),
  };
}

function failures(platform: Platform): Promise<number> {
  return platform.messagesIn('thingstead-firmware-failed', 'thingstead-firmware-errors');
}

/** A device that says something once, and does not wait for the answer. */
async function deviceOf(platform: Platform) {
  const { on, product } = await productOf(platform);
  const device = await on.connect(await on.thing('crashing'));
  const heard: { readonly topic: string; readonly answer: Readonly<Record<string, unknown>> }[] = [];
  device.client.on('message', (topic, payload) => heard.push({ topic, answer: JSON.parse(payload.toString()) }));
  return {
    ...{ on, product, device, heard },
    async says(attempt: string, said: object): Promise<void> {
      await device.client.publishAsync(firmwareTopic(device.thing, attempt), JSON.stringify(said), { qos: 1 });
      await platform.idle();
    },
    /** The same answer may come twice; what is signed and where it lies differs. */
    answers: (): readonly string[] => [
      ...new Set(heard.map(({ topic, answer }) => `${topic.split('/').at(-1)} ${answer.type}`)),
    ],
  };
}

export const firmwareScenarios: readonly Scenario[] = [
  {
    title: 'a release that is published and made current',
    functionName: 'thingstead-firmware',
    settleSeconds,
    expected: { releases: [{ counter: 1, state: 'PUBLISHED' }], current: 1, failed: 0 },
    async begin(platform) {
      const { on, product } = await productOf(platform);
      await on.thingType(product);
      const { release, image } = on.signedRelease({ product });
      const { api } = on.operator;
      return {
        async act() {
          const { upload } = await untilAnswered(() => api.publishRelease({ body: { release } }));
          // S3 is called in the name of the function, so that it is cut off there, too.
          if (upload) await untilAnswered(() => put(upload, image));
          await untilAnswered(() => api.completeRelease({ params: { product, counter: '1' } }));
          await untilAnswered(() => api.setCurrentRelease({ params: { product }, body: { counter: 1 } }));
        },
        outcome: () => releasesOf(platform, on, product),
      };
    },
  },
  {
    title: 'a current release that is withdrawn',
    functionName: 'thingstead-firmware',
    settleSeconds,
    expected: { releases: [{ counter: 1, state: 'YANKED', reason: 'it burns' }], current: null, failed: 0 },
    async begin(platform) {
      const { on, product } = await productOf(platform);
      await on.release({ product });
      const { api } = on.operator;
      await api.setCurrentRelease({ params: { product }, body: { counter: 1 } });
      return {
        async act() {
          const params = { product, counter: '1' };
          await untilAnswered(() => api.yankRelease({ params, body: { reason: 'it burns' } }));
        },
        outcome: () => releasesOf(platform, on, product),
      };
    },
  },
  {
    title: 'a device that asks for what it was offered',
    functionName: 'thingstead-firmware-devices',
    settleSeconds,
    expected: { answers: ['accepted grant'], failed: 0 },
    async begin(platform) {
      const { on, product, device, heard, says, answers } = await deviceOf(platform);
      const attempt = await on.offer(device.thing, await on.release({ product }));
      // A function that has just started asks for its key once more than others.
      await device.isGranted(attempt);
      heard.length = 0;
      return {
        act: () => says(attempt, { type: 'grant', nonce: newNonce() }),
        async outcome() {
          await device.client.endAsync(true);
          return { answers: answers(), failed: await failures(platform) };
        },
      };
    },
  },
  {
    title: 'a device that says what it runs',
    functionName: 'thingstead-firmware-devices',
    settleSeconds,
    expected: {
      answers: ['accepted running'],
      row: { firmwareVersion: '1.0.7', firmwareCounter: 7 },
      running: { version: '1.0.7', counter: 7 },
      failed: 0,
    },
    async begin(platform) {
      const { on, device, says, answers } = await deviceOf(platform);
      return {
        act: () => says('running', { type: 'running', hardwareRevision: HARDWARE, version: '1.0.7', counter: 7 }),
        async outcome() {
          await device.client.endAsync(true);
          const row = await platform.thingRow(device.thing);
          const outcome = {
            answers: answers(),
            row: { firmwareVersion: row?.firmwareVersion, firmwareCounter: row?.firmwareCounter },
            running: (await on.deviceRow(device.thing))?.running,
            failed: await failures(platform),
          };
          return anonymous(outcome, { [device.thing]: 'thing' }, ['at']);
        },
      };
    },
  },
];
