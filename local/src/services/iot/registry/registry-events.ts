/** Events of the registry: https://docs.aws.amazon.com/iot/latest/developerguide/registry-events.html */
import { createHash, randomUUID } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { MessageBus } from '../types.ts';
import type { EventConfigurations, RegistryEventType } from './event-configurations.ts';
import type { ThingGroup } from './thing-groups.ts';
import type { Thing } from './thing-registry.ts';
import type { ThingType } from './thing-types.ts';

type Change = 'CREATED' | 'UPDATED' | 'DELETED';
type Membership = 'ADDED' | 'REMOVED';

/** Publishes what happens in the registry, as far as the account wants to know. */
export class RegistryEvents {
  readonly #kernel: Kernel;
  readonly #bus: MessageBus;
  readonly #configurations: EventConfigurations;

  constructor(kernel: Kernel, bus: MessageBus, configurations: EventConfigurations) {
    this.#kernel = kernel;
    this.#bus = bus;
    this.#configurations = configurations;
  }

  thing(operation: Change, { name, id, version, typeName, attributes }: Thing): void {
    this.#publish('THING', `thing/${name}/${operation.toLowerCase()}`, operation, {
      accountId: this.#kernel.accountId,
      thingId: id,
      thingName: name,
      versionNumber: version,
      thingTypeName: typeName ?? null,
      attributes: { ...attributes },
    });
  }

  /** A thing was given this type, or has lost it. */
  typeAssociation(operation: Membership, { name, id }: Thing, thingTypeName: string): void {
    const topic = `thingTypeAssociation/thing/${name}/thingType/${thingTypeName}`;
    this.#publish('THING_TYPE_ASSOCIATION', `${topic}/${operation.toLowerCase()}`, operation, {
      thingId: id,
      thingName: name,
      thingTypeName,
    });
  }

  thingType(operation: Change, { name, id, properties, deprecatedAt }: ThingType): void {
    this.#publish('THING_TYPE', `thingType/${name}/${operation.toLowerCase()}`, operation, {
      accountId: this.#kernel.accountId,
      thingTypeId: id,
      thingTypeName: name,
      isDeprecated: deprecatedAt !== undefined,
      deprecationDate: deprecatedAt ?? null,
      searchableAttributes: [...properties.searchableAttributes],
      description: properties.description ?? null,
    });
  }

  /** `parents`: the groups above it, the nearest first. */
  thingGroup(operation: Change, group: ThingGroup, parents: readonly ThingGroup[]): void {
    const { name, id, version, parent, description, attributes } = group;
    this.#publish('THING_GROUP', `thingGroup/${name}/${operation.toLowerCase()}`, operation, {
      accountId: this.#kernel.accountId,
      thingGroupId: id,
      thingGroupName: name,
      versionNumber: version,
      parentGroupName: parent?.name ?? null,
      parentGroupId: parent?.id ?? null,
      description: description ?? null,
      rootToParentThingGroups:
        parents.length === 0 ? null : parents.toReversed().map((each) => ({ groupArn: each.arn, groupId: each.id })),
      attributes: { ...attributes },
      dynamicGroupMappingId: null,
    });
  }

  /** A group became a child of its parent, or is none any more. */
  hierarchy(operation: Membership, parent: ThingGroup, child: ThingGroup): void {
    const topic = `thingGroupHierarchy/thingGroup/${parent.name}/childThingGroup/${child.name}`;
    this.#publish('THING_GROUP_HIERARCHY', `${topic}/${operation.toLowerCase()}`, operation, {
      accountId: this.#kernel.accountId,
      thingGroupId: parent.id,
      thingGroupName: parent.name,
      childGroupId: child.id,
      childGroupName: child.name,
    });
  }

  membership(operation: Membership, group: ThingGroup, thing: Thing): void {
    const topic = `thingGroupMembership/thingGroup/${group.name}/thing/${thing.name}`;
    this.#publish('THING_GROUP_MEMBERSHIP', `${topic}/${operation.toLowerCase()}`, operation, {
      accountId: this.#kernel.accountId,
      groupArn: group.arn,
      groupId: group.id,
      thingArn: thing.arn,
      thingId: thing.id,
      membershipId: membershipId(group, thing),
    });
  }

  #publish(
    type: RegistryEventType,
    topic: string,
    operation: string,
    members: Readonly<Record<string, unknown>>,
  ): void {
    if (!this.#configurations.isEnabled(type)) return;
    this.#bus.publishFromService(`$aws/events/${topic}`, {
      eventType: `${type}_EVENT`,
      eventId: randomUUID(),
      timestamp: this.#kernel.clock.now(),
      operation,
      ...members,
    });
  }
}

/** The same for a thing and a group whenever they come together: no state is kept for it. */
function membershipId(group: ThingGroup, thing: Thing): string {
  const hex = createHash('sha256').update(`${group.id} ${thing.id}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
