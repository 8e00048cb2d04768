import type {
  AddThingToThingGroupCommandInput,
  ListThingGroupsForThingCommandInput,
  ListThingGroupsForThingResponse,
  ListThingsInThingGroupCommandInput,
  ListThingsInThingGroupResponse,
  RemoveThingFromThingGroupCommandInput,
  UpdateThingGroupsForThingCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { descendantsOf } from '../../registry/thing-groups.ts';
import { type ControlPlane, on } from '../control-plane.ts';
import { invalidRequest } from '../errors.ts';
import { page } from '../page.ts';
import { checkGroupName, listGroups } from './thing-groups.ts';
import { checkThingName } from './things.ts';

interface Membership {
  readonly thingGroupName?: string | undefined;
  readonly thingGroupArn?: string | undefined;
  readonly thingName?: string | undefined;
  readonly thingArn?: string | undefined;
}

/** Which things are in which static groups. Group and thing are given by name or by ARN. */
export function thingGroupMemberOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { kernel, things } = plane;
  const { groups } = things;
  const groupOf = ({ thingGroupName, thingGroupArn }: Membership) =>
    checkGroupName(named(thingGroupName, thingGroupArn, kernel.arn('iot', 'thinggroup/'), 'thingGroup'));
  const thingOf = ({ thingName, thingArn }: Membership) =>
    checkThingName(named(thingName, thingArn, kernel.arn('iot', 'thing/'), 'thing'));
  const onBoth = (action: string, input: Membership) => [
    ...on(plane, action, `thing/${thingOf(input)}`),
    ...on(plane, action, `thinggroup/${groupOf(input)}`),
  ];
  return {
    AddThingToThingGroup: operation<AddThingToThingGroupCommandInput, object>({
      permissions: (input) => onBoth('AddThingToThingGroup', input),
      run(input) {
        groups.add(groupOf(input), things.get(thingOf(input)).name);
        return {};
      },
    }),
    RemoveThingFromThingGroup: operation<RemoveThingFromThingGroupCommandInput, object>({
      permissions: (input) => onBoth('RemoveThingFromThingGroup', input),
      run(input) {
        groups.remove(groupOf(input), things.get(thingOf(input)).name);
        return {};
      },
    }),
    UpdateThingGroupsForThing: operation<UpdateThingGroupsForThingCommandInput, object>({
      permissions: ({ thingName, thingGroupsToAdd = [], thingGroupsToRemove = [] }) =>
        [
          `thing/${checkThingName(thingName)}`,
          ...groupResources([...thingGroupsToAdd, ...thingGroupsToRemove]),
        ].flatMap((resource) => on(plane, 'UpdateThingGroupsForThing', resource)),
      run({ thingName, thingGroupsToAdd = [], thingGroupsToRemove = [] }) {
        const { name } = things.get(checkThingName(thingName));
        for (const group of [...thingGroupsToAdd, ...thingGroupsToRemove]) groups.get(checkGroupName(group));
        for (const group of thingGroupsToRemove) groups.remove(group, name);
        for (const group of thingGroupsToAdd) groups.add(group, name);
        return {};
      },
    }),
    ListThingGroupsForThing: operation<ListThingGroupsForThingCommandInput, ListThingGroupsForThingResponse>({
      permissions: ({ thingName }) => on(plane, 'ListThingGroupsForThing', `thing/${checkThingName(thingName)}`),
      run({ thingName, maxResults, nextToken }) {
        const { name } = things.get(checkThingName(thingName));
        return listGroups(groups.of(name), { size: maxResults, token: nextToken });
      },
    }),
    ListThingsInThingGroup: operation<ListThingsInThingGroupCommandInput, ListThingsInThingGroupResponse>({
      permissions: ({ thingGroupName }) =>
        on(plane, 'ListThingsInThingGroup', `thinggroup/${checkGroupName(thingGroupName)}`),
      run({ thingGroupName, recursive, maxResults, nextToken }) {
        const group = groups.get(checkGroupName(thingGroupName));
        const all = recursive ? [group, ...descendantsOf(group)] : [group];
        const names = new Set(all.flatMap((each) => [...each.things]));
        const { items, next } = page(names, (name) => name, { size: maxResults, token: nextToken });
        return { things: [...items], nextToken: next };
      },
    }),
  };
}

function groupResources(names: readonly string[]): readonly string[] {
  return names.map((name) => `thinggroup/${checkGroupName(name)}`);
}

/** @throws AwsError InvalidRequestException when name and ARN are of two resources, or the ARN is of another kind */
function named(name: string | undefined, arn: string | undefined, prefix: string, kind: string): string | undefined {
  if (arn === undefined) return name;
  if (!arn.startsWith(prefix)) throw invalidRequest(`${kind}Arn is ${arn}; it has to begin with ${prefix}`);
  const ofArn = arn.slice(prefix.length);
  if (name !== undefined && name !== ofArn) throw invalidRequest(`${kind}Name is ${name}, but ${kind}Arn is ${arn}`);
  return ofArn;
}
