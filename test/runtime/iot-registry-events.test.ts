/** Events of the registry and of subscriptions, as an MQTT client sees them. */
import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DeprecateThingTypeCommand,
  DescribeEventConfigurationsCommand,
  type EventType,
  IoTClient,
  RemoveThingFromThingGroupCommand,
  UpdateEventConfigurationsCommand,
  UpdateThingCommand,
  UpdateThingGroupCommand,
} from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import { collect, createMqttThing } from '../support/mqtt-thing.ts';
import { roleConfig } from '../support/role-config.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let iot: IoTClient;
let watcher: MqttClient;

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  watcher = await (await createMqttThing(runtime, 'watcher')).connect();
});
afterEach(() => watcher.endAsync(true));

function enable(...types: readonly EventType[]) {
  const eventConfigurations = Object.fromEntries(types.map((type) => [type, { Enabled: true }]));
  return iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations }));
}

/** Resolves when all messages up to now have arrived: a message to itself comes after them. */
async function arrived(): Promise<void> {
  await runtime.advance(0);
  const marker = new Promise<void>((resolve) => {
    const listen = (topic: string): void => {
      if (topic !== 'marker') return;
      watcher.off('message', listen);
      resolve();
    };
    watcher.on('message', listen);
  });
  await watcher.subscribeAsync('marker', { qos: 1 });
  await watcher.publishAsync('marker', '{}', { qos: 1 });
  await marker;
}

async function events(filter: string) {
  const messages = await collect(watcher, filter);
  return async () => {
    await arrived();
    return messages.filter(({ topic }) => topic !== 'marker');
  };
}

const accountId = () => runtime.endpoints.accountId;

describe('event configurations', () => {
  it('are all off at first, are switched on one by one, and stay', async () => {
    const before = await iot.send(new DescribeEventConfigurationsCommand({}));
    expect(before.eventConfigurations?.THING).toEqual({ Enabled: false });
    expect(before.creationDate).toBeUndefined();

    await enable('THING');
    await enable('THING_GROUP');

    const after = await iot.send(new DescribeEventConfigurationsCommand({}));
    expect(after.eventConfigurations).toMatchObject({
      THING: { Enabled: true },
      THING_GROUP: { Enabled: true },
      THING_TYPE: { Enabled: false },
    });
    expect(after.lastModifiedDate).toBeInstanceOf(Date);
  });

  it('of what publishes no events here are refused by name', async () => {
    await expect(enable('JOB')).rejects.toThrow(/events of type JOB/);
    await expect(enable('PIGEON' as EventType)).rejects.toThrow(/no event type PIGEON/);
  });

  it('need their permissions', async () => {
    const may = new IoTClient(await roleConfig(runtime, { Action: 'iot:DescribeEventConfigurations', Resource: '*' }));
    await may.send(new DescribeEventConfigurationsCommand({}));
    const eventConfigurations = { THING: { Enabled: true } };
    await expect(may.send(new UpdateEventConfigurationsCommand({ eventConfigurations }))).rejects.toThrow(
      /not authorized to perform: iot:UpdateEventConfigurations/,
    );
  });
});

describe('events', () => {
  it('that are not switched on are not published', async () => {
    await enable('THING_GROUP');
    const seen = await events('$aws/events/#');
    await iot.send(new CreateThingCommand({ thingName: 'hen' }));

    const topics = (await seen()).map(({ topic }) => topic);
    expect(topics.filter((topic) => topic.includes('/thing/'))).toEqual([]);
  });

  it('of a thing', async () => {
    await enable('THING');
    const seen = await events('$aws/events/thing/#');
    const thingName = 'hen';
    const attributes = { colour: 'brown' };
    const { thingId } = await iot.send(new CreateThingCommand({ thingName }));
    await iot.send(new UpdateThingCommand({ thingName, attributePayload: { attributes } }));
    await iot.send(new DeleteThingCommand({ thingName }));

    const common = {
      eventType: 'THING_EVENT',
      eventId: expect.any(String),
      timestamp: expect.any(Number),
      accountId: accountId(),
      thingId,
      thingName,
      thingTypeName: null,
    };
    expect(await seen()).toEqual([
      {
        topic: '$aws/events/thing/hen/created',
        payload: { ...common, operation: 'CREATED', versionNumber: 1, attributes: {} },
      },
      {
        topic: '$aws/events/thing/hen/updated',
        payload: { ...common, operation: 'UPDATED', versionNumber: 2, attributes },
      },
      {
        topic: '$aws/events/thing/hen/deleted',
        payload: { ...common, operation: 'DELETED', versionNumber: 2, attributes },
      },
    ]);
  });

  it('of a thing type and what is of this type', async () => {
    await enable('THING_TYPE', 'THING_TYPE_ASSOCIATION');
    const seen = await events('$aws/events/+/#');
    const thingTypeProperties = { thingTypeDescription: 'Lays eggs', searchableAttributes: ['colour'] };
    await iot.send(new CreateThingTypeCommand({ thingTypeName: 'bird', thingTypeProperties }));
    await iot.send(new CreateThingCommand({ thingName: 'hen', thingTypeName: 'bird' }));
    await iot.send(new UpdateThingCommand({ thingName: 'hen', removeThingType: true }));
    await iot.send(new DeprecateThingTypeCommand({ thingTypeName: 'bird' }));

    const ours = (await seen()).filter(({ topic }) => topic.startsWith('$aws/events/thingType'));
    expect(ours).toMatchObject([
      {
        topic: '$aws/events/thingType/bird/created',
        payload: {
          isDeprecated: false,
          deprecationDate: null,
          description: 'Lays eggs',
          searchableAttributes: ['colour'],
        },
      },
      {
        topic: '$aws/events/thingTypeAssociation/thing/hen/thingType/bird/added',
        payload: { eventType: 'THING_TYPE_ASSOCIATION_EVENT', operation: 'ADDED', thingTypeName: 'bird' },
      },
      {
        topic: '$aws/events/thingTypeAssociation/thing/hen/thingType/bird/removed',
        payload: { operation: 'REMOVED', thingTypeName: 'bird' },
      },
      {
        topic: '$aws/events/thingType/bird/updated',
        payload: { operation: 'UPDATED', isDeprecated: true, deprecationDate: expect.any(Number) },
      },
    ]);
  });

  it('of thing groups, their hierarchy and their things', async () => {
    await enable('THING_GROUP', 'THING_GROUP_HIERARCHY', 'THING_GROUP_MEMBERSHIP');
    await iot.send(new CreateThingCommand({ thingName: 'hen' }));
    const seen = await events('$aws/events/+/#');
    const member = { thingGroupName: 'coop', thingName: 'hen' };
    const farm = await iot.send(new CreateThingGroupCommand({ thingGroupName: 'farm' }));
    await iot.send(new CreateThingGroupCommand({ thingGroupName: 'coop', parentGroupName: 'farm' }));
    const thingGroupProperties = { thingGroupDescription: 'warm' };
    await iot.send(new UpdateThingGroupCommand({ thingGroupName: 'coop', thingGroupProperties }));
    await iot.send(new AddThingToThingGroupCommand(member));
    await iot.send(new RemoveThingFromThingGroupCommand(member));
    await iot.send(new RemoveThingFromThingGroupCommand(member));
    await iot.send(new AddThingToThingGroupCommand(member));
    await iot.send(new DeleteThingCommand({ thingName: 'hen' }));
    await iot.send(new DeleteThingGroupCommand({ thingGroupName: 'coop' }));

    const ours = (await seen()).filter(({ topic }) => topic.startsWith('$aws/events/thingGroup'));
    const topics = ours.map(({ topic }) => topic.slice('$aws/events/'.length));
    expect(topics).toEqual([
      'thingGroup/farm/created',
      'thingGroup/coop/created',
      'thingGroupHierarchy/thingGroup/farm/childThingGroup/coop/added',
      'thingGroup/coop/updated',
      'thingGroupMembership/thingGroup/coop/thing/hen/added',
      'thingGroupMembership/thingGroup/coop/thing/hen/removed',
      'thingGroupMembership/thingGroup/coop/thing/hen/added',
      'thingGroupMembership/thingGroup/coop/thing/hen/removed',
      'thingGroupHierarchy/thingGroup/farm/childThingGroup/coop/removed',
      'thingGroup/coop/deleted',
    ]);
    expect(ours[1]?.payload).toMatchObject({
      parentGroupName: 'farm',
      parentGroupId: farm.thingGroupId,
      rootToParentThingGroups: [{ groupArn: farm.thingGroupArn, groupId: farm.thingGroupId }],
    });
    expect(ours[4]?.payload).toMatchObject({ operation: 'ADDED', membershipId: expect.any(String) });
    expect(ours[5]?.payload.membershipId).toBe(ours[4]?.payload.membershipId);
  });

  it('of a thing group name the groups above it from the root down', async () => {
    await enable('THING_GROUP');
    const seen = await events('$aws/events/thingGroup/nest/created');
    const made = [];
    for (const [thingGroupName, parentGroupName] of [['farm'], ['coop', 'farm'], ['nest', 'coop']] as const) {
      made.push(await iot.send(new CreateThingGroupCommand({ thingGroupName, parentGroupName })));
    }
    const above = made.slice(0, 2).map(({ thingGroupArn: groupArn, thingGroupId: groupId }) => ({ groupArn, groupId }));

    expect((await seen()).map(({ payload }) => payload.rootToParentThingGroups)).toEqual([above]);
  });

  it('of subscriptions are always published', async () => {
    const seen = await events('$aws/events/subscriptions/+/hen');
    const hen = await (await createMqttThing(runtime, 'hen')).connect();
    await hen.subscribeAsync(['eggs', 'corn'], { qos: 1 });
    await hen.unsubscribeAsync('corn');
    await hen.endAsync();

    expect(await seen()).toMatchObject([
      {
        topic: '$aws/events/subscriptions/subscribed/hen',
        payload: { clientId: 'hen', eventType: 'subscribed', topics: ['eggs', 'corn'] },
      },
      {
        topic: '$aws/events/subscriptions/unsubscribed/hen',
        payload: { clientId: 'hen', eventType: 'unsubscribed', topics: ['corn'] },
      },
    ]);
  });
});
