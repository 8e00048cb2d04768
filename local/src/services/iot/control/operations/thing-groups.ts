import type {
  CreateThingGroupCommandInput,
  CreateThingGroupResponse,
  DeleteThingGroupCommandInput,
  DescribeThingGroupCommandInput,
  DescribeThingGroupResponse,
  ListThingGroupsCommandInput,
  ListThingGroupsResponse,
  ThingGroupProperties as Properties,
  UpdateThingGroupCommandInput,
  UpdateThingGroupResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { descendantsOf, lineageOf, type ThingGroup, type ThingGroupProperties } from '../../registry/thing-groups.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { matching } from '../errors.ts';
import { page } from '../page.ts';
import { taggingPermissions } from './tags.ts';

const GROUP_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;

/** The name of a thing group as the API model has it. Throws InvalidRequestException. */
export function checkGroupName(name: string | undefined): string {
  return matching(name, 'thingGroupName', GROUP_NAME);
}

/** Administration of static thing groups (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html). */
export function thingGroupOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { policies, tags: resourceTags } = plane;
  const { groups } = plane.things;
  const onGroup = (action: string, name: string | undefined) => on(plane, action, `thinggroup/${checkGroupName(name)}`);
  return {
    CreateThingGroup: operation<CreateThingGroupCommandInput, CreateThingGroupResponse>({
      permissions: ({ thingGroupName, tags }) => taggingPermissions(onGroup('CreateThingGroup', thingGroupName), tags),
      run({ thingGroupName, parentGroupName, thingGroupProperties, tags }) {
        const parent = parentGroupName === undefined ? undefined : checkGroupName(parentGroupName);
        resourceTags.check(tags);
        const group = groups.create(checkGroupName(thingGroupName), parent, propertiesOf(thingGroupProperties));
        resourceTags.add(group.arn, tags);
        return { thingGroupName: group.name, thingGroupArn: group.arn, thingGroupId: group.id };
      },
    }),
    DescribeThingGroup: operation<DescribeThingGroupCommandInput, DescribeThingGroupResponse>({
      permissions: ({ thingGroupName }) => onGroup('DescribeThingGroup', thingGroupName),
      run: ({ thingGroupName }) => describe(groups.get(checkGroupName(thingGroupName))),
    }),
    UpdateThingGroup: operation<UpdateThingGroupCommandInput, UpdateThingGroupResponse>({
      permissions: ({ thingGroupName }) => onGroup('UpdateThingGroup', thingGroupName),
      run: ({ thingGroupName, thingGroupProperties, expectedVersion }) => ({
        version: groups.update(checkGroupName(thingGroupName), propertiesOf(thingGroupProperties), expectedVersion),
      }),
    }),
    DeleteThingGroup: operation<DeleteThingGroupCommandInput, object>({
      permissions: ({ thingGroupName }) => onGroup('DeleteThingGroup', thingGroupName),
      run({ thingGroupName, expectedVersion }) {
        const deleted = groups.delete(checkGroupName(thingGroupName), expectedVersion);
        if (!deleted) return {};
        for (const policy of policies.attachedTo(deleted.arn)) policies.detach(policy, deleted.arn);
        resourceTags.forget(deleted.arn);
        return {};
      },
    }),
    ListThingGroups: operation<ListThingGroupsCommandInput, ListThingGroupsResponse>({
      permissions: () => onAll('ListThingGroups'),
      run({ parentGroup, namePrefixFilter, recursive, maxResults, nextToken }) {
        const parent = parentGroup === undefined ? undefined : groups.get(checkGroupName(parentGroup));
        const below = parent && (recursive ? descendantsOf(parent) : parent.children);
        const wanted = [...(below ?? groups.all)].filter(({ name }) => name.startsWith(namePrefixFilter ?? ''));
        return listGroups(wanted, { size: maxResults, token: nextToken });
      },
    }),
  };
}

/** A page of groups as the list operations answer it. */
export function listGroups(all: Iterable<ThingGroup>, request: Parameters<typeof page>[2]) {
  const { items, next } = page(all, ({ name }) => name, request);
  return { thingGroups: items.map(reference), nextToken: next };
}

function reference({ name, arn }: ThingGroup) {
  return { groupName: name, groupArn: arn };
}

function propertiesOf(given: Properties | undefined): ThingGroupProperties {
  return {
    description: given?.thingGroupDescription,
    attributes: given?.attributePayload?.attributes,
    merge: given?.attributePayload?.merge === true,
  };
}

function describe(group: ThingGroup): DescribeThingGroupResponse {
  return {
    thingGroupName: group.name,
    thingGroupId: group.id,
    thingGroupArn: group.arn,
    version: group.version,
    thingGroupProperties: {
      thingGroupDescription: group.description,
      attributePayload: { attributes: { ...group.attributes } },
    },
    thingGroupMetadata: {
      parentGroupName: group.parent?.name,
      rootToParentThingGroups: lineageOf(group).slice(1).toReversed().map(reference),
      creationDate: new Date(group.createdAt),
    },
  };
}
