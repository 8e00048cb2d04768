/** Access that comes and goes, and accounts that are deleted: what the functions behind it make of it. */
import { CognitoIdentityClient, DescribeIdentityCommand } from '@aws-sdk/client-cognito-identity';
import { AdminGetUserCommand, CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { identityKey, profileKey } from '@thingstead/contracts/grants';
import { claimsOf } from '../../support/cognito.ts';
import type { WebSocketClient } from '../../support/mqtt-websocket.ts';
import { newPerson, type Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { accessRows } from '../access/access-platform.ts';
import { anonymous, type Scenario } from './scenario.ts';

/** Lambda reads a stream again at once, and later and later. */
const settleSeconds = 600;
const MAX_ATTEMPTS = 5;

let things = 0;

/** All are of one length, so that the same number of them fits in a policy. */
function newName(): string {
  things += 1;
  return unique(`lamp${String(things).padStart(5, '0')}`);
}

interface Cast {
  readonly person: Person;
  readonly identityId: string;
  readonly client: WebSocketClient;
  readonly names: readonly string[];
}

/** Someone who is connected, with these things: for good, or for so long. */
async function castOf(platform: Platform, names: readonly string[], seconds?: number): Promise<Cast> {
  const rows = accessRows(platform);
  const person = await newPerson(platform);
  const endsAt = seconds === undefined ? undefined : signedInAt(person) + seconds * 1000;
  for (const name of names) await rows.grant(person.person, name, 'owner', endsAt);
  const identityId = await person.identify();
  await platform.idle();
  const client = await person.connect('tab1', { connect: { keepalive: 0 } });
  await platform.idle();
  return { person, identityId, client, names };
}

/** By the platform's clock, epoch milliseconds. */
function signedInAt(person: Person): number {
  return Number(claimsOf(person.tokens().access).iat) * 1000;
}

async function outcomeOf(platform: Platform, { person, identityId, client, names }: Cast): Promise<unknown> {
  const rows = accessRows(platform);
  const kept = await rows.rows(person.person);
  const outcome = {
    policies: await rows.policies(person.person),
    attached: await rows.attached(identityId),
    connected: await platform.isConnected(`${identityId}-tab1`),
    grants: kept.flatMap(({ target }) => target ?? []),
    reduced: kept.some(({ sk, accessReducedAt }) => sk === profileKey('').sk && accessReducedAt !== undefined),
    identity: (await rows.rowsOf(identityKey(identityId).pk)).map(({ sk }) => sk),
    watchers: (await Promise.all(names.map((name) => rows.watchers(name)))).flat(),
    failed: await platform.messagesIn('thingstead-identity-policies-failed'),
  };
  await client.end();
  const labels = Object.fromEntries(names.map((name, n) => [name, `thing${n + 1}`]));
  return anonymous(outcome, { ...labels, [identityId]: 'identity', [person.person]: 'person' });
}

function followed(
  title: string,
  /** How many things the person has. */
  held: number,
  change: (rows: ReturnType<typeof accessRows>, cast: Cast, more: readonly string[]) => Promise<void>,
  expected: Scenario['expected'],
  /** How many more things there are. */
  more = 0,
): Scenario {
  return {
    ...{ title, functionName: 'thingstead-identity-policies', settleSeconds, expected },
    async begin(platform) {
      const names = Array.from({ length: held + more }, newName);
      const cast = await castOf(platform, names.slice(0, held));
      return {
        async act() {
          await change(accessRows(platform), cast, names.slice(held));
          await platform.idle();
        },
        outcome: () => outcomeOf(platform, { ...cast, names }),
      };
    },
  };
}

/** The whole of it is one request, which whoever has no answer makes again. */
const deletion: Scenario = {
  ...{ title: 'a person who leaves for good', functionName: 'thingstead-access', settleSeconds },
  expected: {
    ...{ policies: {}, attached: [], connected: false, grants: [], identity: [], watchers: [] },
    ...{ user: 'UserNotFoundException', described: 'ResourceNotFoundException', channels: [] },
  },
  async begin(platform, run) {
    const rows = accessRows(platform);
    const cast = await castOf(platform, [newName()]);
    const { person, identityId } = cast;
    const channel = { type: 'sms', number: `+49151${1_000_000 + run}` };
    await rows.askChannels({ action: 'put-channel', person: person.person, channel });
    return {
      async act() {
        for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
          const { status } = await person.call('DELETE', '/me?confirm=delete-my-account');
          if (status === 204) break;
        }
        await platform.idle();
      },
      async outcome() {
        const users = new CognitoIdentityProviderClient(platform.config);
        const identities = new CognitoIdentityClient(platform.config);
        const UserPoolId = platform.output('UserPoolId');
        return {
          ...((await outcomeOf(platform, cast)) as object),
          user: await errorOf(users.send(new AdminGetUserCommand({ UserPoolId, Username: person.person }))),
          described: await errorOf(identities.send(new DescribeIdentityCommand({ IdentityId: identityId }))),
          channels: (await rows.askChannels({ action: 'list-channels', person: person.person })).channels,
        };
      },
    };
  },
};

/** Further off than SQS can wait, so that the message is passed on once. */
const LENT_SECONDS = 20 * 60;

const ending: Scenario = {
  ...{ title: 'a thing that is lent for a while', functionName: 'thingstead-expiring-grants', settleSeconds },
  expected: { policies: {}, attached: [], connected: false, grants: [], watchers: [], reduced: true, waiting: 0 },
  async begin(platform) {
    const cast = await castOf(platform, [newName()], LENT_SECONDS);
    return {
      async act() {
        await platform.advance(LENT_SECONDS + 1);
      },
      async outcome() {
        const waiting = await platform.messagesIn('thingstead-grant-endings', 'thingstead-grant-endings-failed');
        return { ...((await outcomeOf(platform, cast)) as object), waiting };
      },
    };
  },
};

async function errorOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'none';
  } catch (error) {
    return (error as Error).name;
  }
}

export const accessScenarios: readonly Scenario[] = [
  followed(
    'a person who gets more than fits in one policy',
    3,
    (rows, { person }, more) => rows.grantAll(person.person, more, 'owner'),
    { connected: true, reduced: false, failed: 0, attached: [expect.any(String), expect.any(String)] },
    2,
  ),
  followed(
    'a person who loses one thing of several, connected',
    5,
    (rows, { person, names }) => rows.revoke(person.person, names[0] ?? ''),
    { connected: false, reduced: true, identity: ['person'], failed: 0 },
  ),
  followed(
    'a person who loses everything, connected',
    1,
    (rows, { person, names }) => rows.revoke(person.person, names[0] ?? ''),
    { connected: false, policies: {}, attached: [], identity: ['person'], watchers: [], failed: 0 },
  ),
  ending,
  deletion,
];
