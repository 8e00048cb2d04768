/** Devices that describe themselves: what the onboarding function makes of it. */
import { DescribeThingCommand } from '@aws-sdk/client-iot';
import { registerTopic } from '@thingstead/contracts/topics';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { DeviceClient, Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { anonymous, type Scenario } from './scenario.ts';

const functionName = 'thingstead-onboarding';
/** Lambda tries again after one minute and after two. */
const settleSeconds = 200;

const DESCRIPTION = {
  id: 'boot-1',
  model: 'weather-station',
  hardwareRevision: 'B',
  serial: 'WS-0042',
  firmwareVersion: '1.4.0',
  sensors: [{ name: 'temperature', unit: 'Cel' }],
};
const authorities = new WeakMap<Platform, Promise<CertificateAuthority>>();

function authorityOf(platform: Platform): Promise<CertificateAuthority> {
  const known = authorities.get(platform);
  if (known) return known;
  const made = createCa(unique('describing')).then(async (ca) => {
    await platform.registerCa(ca);
    return ca;
  });
  authorities.set(platform, made);
  return made;
}

/** A client that keeps its connection while the clock is advanced, and what it was answered. */
async function listen(platform: Platform, device: DeviceCertificate): Promise<[DeviceClient, Set<string>]> {
  const client = await platform.connect(device, { keepalive: 0 });
  const answers = new Set<string>();
  client.on('message', (topic, payload) => answers.add(`${topic.split('/').at(-1)} ${payload}`));
  await client.trySubscribe(`${registerTopic(device.thing)}/+`);
  await platform.idle();
  return [client, answers];
}

async function outcomeOf(platform: Platform, thing: string, answers: ReadonlySet<string>): Promise<unknown> {
  const { attributes, version } = await platform.iot.send(new DescribeThingCommand({ thingName: thing }));
  // Shards are numbered by the thing's name.
  const { presence, describedAt, fleetShard, typeShard, firmwareShard, connectedShard, ...row } =
    (await platform.thingRow(thing)) ?? {};
  const shadow = await platform.shadow(thing);
  const log = await platform.functionLog('onboarding', thing);
  const outcome = {
    row: describedAt === undefined ? undefined : row,
    // Every change counts: attributes and shadow were written once.
    registered: { attributes, version },
    shadow: shadow && { state: shadow.state, version: shadow.version },
    // The same answer may come twice.
    answers: [...answers],
    told: [...new Set(log.match(/onboarding\.(accepted|rejected)/g))],
    failed: await platform.messagesIn('thingstead-onboarding-failed', 'thingstead-onboarding-errors'),
  };
  return anonymous(outcome, { [thing]: 'thing' });
}

/** `name` begins the names of its things; the last message meets the harm. */
function scenario(
  name: string,
  title: string,
  messages: readonly string[],
  expected: Readonly<Record<string, unknown>>,
): Scenario {
  return {
    ...{ title, functionName, settleSeconds, expected },
    async begin(platform, run) {
      const device = await issue(await authorityOf(platform), unique(`macdonald-${name}${run}`));
      await platform.join(device);
      const [client, answers] = await listen(platform, device);
      const [last = '', ...before] = messages.toReversed();
      for (const message of before) {
        await client.tryPublish(registerTopic(device.thing), message);
        await platform.idle();
      }
      answers.clear();
      return {
        async act() {
          await client.tryPublish(registerTopic(device.thing), last);
          await platform.idle();
        },
        async outcome() {
          const outcome = await outcomeOf(platform, device.thing, answers);
          await client.endAsync(true);
          return outcome;
        },
      };
    },
  };
}

export const onboardingScenarios: readonly Scenario[] = [
  scenario('first', 'a device that describes itself for the first time', [JSON.stringify(DESCRIPTION)], {
    row: { model: 'weather-station', site: 'macdonald' },
    registered: { attributes: { firmwareVersion: '1.4.0' }, version: 2 },
    shadow: { version: 1 },
    answers: ['accepted {"id":"boot-1","settings":{}}'],
    told: ['onboarding.accepted'],
    failed: 0,
  }),
  scenario(
    'updated',
    'a device with another firmware than before',
    [JSON.stringify(DESCRIPTION), JSON.stringify({ ...DESCRIPTION, firmwareVersion: '1.5.0' })],
    {
      row: { firmwareVersion: '1.5.0' },
      registered: { attributes: { firmwareVersion: '1.5.0' }, version: 3 },
      shadow: { version: 1 },
      failed: 0,
    },
  ),
  scenario('wrong', 'a device whose description is no JSON', ['nonsense'], {
    registered: { version: 1 },
    answers: [expect.stringMatching(/^rejected .*no JSON/)],
    told: ['onboarding.rejected'],
    failed: 0,
  }),
];
