import { randomUUID } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import {
  invalidRequest,
  limitExceeded,
  resourceAlreadyExists,
  resourceNotFound,
  versionConflict,
} from '../control/errors.ts';
import { type Attributes, checkAttributes, sameAttributes, updateAttributes } from './attributes.ts';
import type { RegistryEvents } from './registry-events.ts';
import type { Thing } from './thing-registry.ts';

/** Quotas of thing groups (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#thing-limits). */
const MAX_ATTRIBUTES = 50;
const MAX_CHILDREN = 100;
const MAX_DEPTH = 7;
const MAX_GROUPS_OF_THING = 10;
const MAX_DESCRIPTION_LENGTH = 2028;

export interface ThingGroup {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  /** It cannot change after creation. */
  readonly parent: ThingGroup | undefined;
  readonly children: Set<ThingGroup>;
  /** Names of the things that were added to this very group. */
  readonly things: Set<string>;
  readonly createdAt: number;
  description: string | undefined;
  attributes: Attributes;
  version: number;
}

export interface ThingGroupProperties {
  readonly description: string | undefined;
  readonly attributes: Attributes | undefined;
  /** True to keep the attributes that are not named. */
  readonly merge: boolean;
}

interface KeptGroup extends Omit<ThingGroup, 'parent' | 'children'> {
  readonly parentName: string | undefined;
}

/** Who hears of what happens to groups, and how it learns which thing a name means. */
interface GroupEvents {
  readonly events: RegistryEvents;
  find(thingName: string): Thing | undefined;
}

/** The static thing groups of the account (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html). */
export class ThingGroups {
  readonly #kernel: Kernel;
  readonly #onChange: () => void;
  readonly #told: GroupEvents | undefined;
  readonly #groups = new Map<string, ThingGroup>();
  readonly #byThing = new Map<string, Set<ThingGroup>>();

  /** `onChange` is called whenever an answer of the authorizer may change. */
  constructor(kernel: Kernel, onChange: () => void, told?: GroupEvents) {
    this.#kernel = kernel;
    this.#onChange = onChange;
    this.#told = told;
  }

  get all(): Iterable<ThingGroup> {
    return this.#groups.values();
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string): ThingGroup {
    const found = this.#groups.get(name);
    if (!found) throw resourceNotFound(`Thing group ${name} not found in the registry`);
    return found;
  }

  /**
   * Creates a group; the same group again gives the one that exists.
   *
   * @throws AwsError ResourceAlreadyExistsException, LimitExceededException, InvalidRequestException,
   *   ResourceNotFoundException when there is no such parent
   */
  create(name: string, parentName: string | undefined, properties: ThingGroupProperties): ThingGroup {
    const parent = parentName === undefined ? undefined : this.get(parentName);
    const description = checkDescription(properties.description);
    const attributes = checkedAttributes({}, properties);
    const existing = this.#groups.get(name);
    if (existing) {
      const same =
        existing.parent === parent &&
        existing.description === description &&
        sameAttributes(existing.attributes, attributes);
      if (same) return existing;
      const message = `Thing group ${name} already exists in account with different properties`;
      throw resourceAlreadyExists(message, existing.id, existing.arn);
    }
    if (parent) checkRoom(parent);
    const group: ThingGroup = {
      name,
      arn: this.#kernel.arn('iot', `thinggroup/${name}`),
      id: randomUUID(),
      parent,
      children: new Set(),
      things: new Set(),
      createdAt: this.#kernel.clock.now(),
      description,
      attributes,
      version: 1,
    };
    this.#groups.set(name, group);
    parent?.children.add(group);
    this.#told?.events.thingGroup('CREATED', group, parentsOf(group));
    if (parent) this.#told?.events.hierarchy('ADDED', parent, group);
    return group;
  }

  /** Gives the new version. Throws ResourceNotFoundException, VersionConflictException, InvalidRequestException. */
  update(name: string, properties: ThingGroupProperties, expectedVersion: number | undefined): number {
    const group = this.get(name);
    checkVersion(group, expectedVersion);
    const attributes = checkedAttributes(group.attributes, properties);
    group.description = checkDescription(properties.description ?? group.description);
    group.attributes = attributes;
    group.version += 1;
    this.#told?.events.thingGroup('UPDATED', group, parentsOf(group));
    return group.version;
  }

  /**
   * Deletes a group, and gives it when there was one. Its things stay, without what the group allowed them.
   *
   * @throws AwsError InvalidRequestException while it has child groups, VersionConflictException
   */
  delete(name: string, expectedVersion: number | undefined): ThingGroup | undefined {
    const group = this.#groups.get(name);
    if (!group) return undefined;
    checkVersion(group, expectedVersion);
    const [child] = group.children;
    if (child)
      throw invalidRequest(`Cannot delete thing group ${name}: it has child groups, for instance ${child.name}`);
    for (const thing of group.things) {
      this.#byThing.get(thing)?.delete(group);
      this.#tell('REMOVED', group, thing);
    }
    group.parent?.children.delete(group);
    this.#groups.delete(name);
    this.#onChange();
    if (group.parent) this.#told?.events.hierarchy('REMOVED', group.parent, group);
    this.#told?.events.thingGroup('DELETED', group, parentsOf(group));
    return group;
  }

  /** @throws AwsError ResourceNotFoundException, LimitExceededException, InvalidRequestException for a second group of one hierarchy */
  add(groupName: string, thingName: string): void {
    const group = this.get(groupName);
    const groups = this.#byThing.get(thingName) ?? new Set();
    if (groups.has(group)) return;
    if (groups.size >= MAX_GROUPS_OF_THING) {
      throw limitExceeded(`thing ${thingName} is in ${MAX_GROUPS_OF_THING} groups; more are not possible`);
    }
    const related = [...groups].find((other) => rootOf(other) === rootOf(group));
    if (related) {
      throw invalidRequest(
        `Thing ${thingName} is in group ${related.name}, which is in the same hierarchy as ${groupName}; remove it first`,
      );
    }
    group.things.add(thingName);
    this.#byThing.set(thingName, groups.add(group));
    this.#onChange();
    this.#tell('ADDED', group, thingName);
  }

  /** @throws AwsError ResourceNotFoundException when there is no such group */
  remove(groupName: string, thingName: string): void {
    const group = this.get(groupName);
    const wasMember = group.things.delete(thingName);
    this.#byThing.get(thingName)?.delete(group);
    this.#onChange();
    if (wasMember) this.#tell('REMOVED', group, thingName);
  }

  /** Takes a thing out of all its groups. */
  forget(thingName: string): void {
    for (const group of this.of(thingName)) {
      group.things.delete(thingName);
      this.#tell('REMOVED', group, thingName);
    }
    this.#byThing.delete(thingName);
  }

  *save(): Generator<KeptRecord> {
    for (const { parent, children: _, ...group } of this.#groups.values()) {
      yield [`group/${group.name}`, { ...group, parentName: parent?.name } satisfies KeptGroup];
    }
  }

  restore(records: KeptRecords): void {
    const kept = new Map(Array.from(records.all<KeptGroup>('group/'), (each) => [each.name, each]));
    for (const name of kept.keys()) this.#restore(name, kept);
  }

  /** A group after its parent. */
  #restore(name: string | undefined, kept: ReadonlyMap<string, KeptGroup>): ThingGroup | undefined {
    const known = this.#groups.get(name ?? '');
    const found = kept.get(name ?? '');
    if (known || !found) return known;
    const { parentName, ...rest } = found;
    const group: ThingGroup = { ...rest, parent: this.#restore(parentName, kept), children: new Set() };
    this.#groups.set(group.name, group);
    group.parent?.children.add(group);
    for (const thing of group.things) this.#byThing.set(thing, (this.#byThing.get(thing) ?? new Set()).add(group));
    return group;
  }

  /** The groups to which a thing was added. */
  of(thingName: string): ReadonlySet<ThingGroup> {
    return this.#byThing.get(thingName) ?? new Set();
  }

  #tell(operation: 'ADDED' | 'REMOVED', group: ThingGroup, thingName: string): void {
    const thing = this.#told?.find(thingName);
    if (thing) this.#told?.events.membership(operation, group, thing);
  }
}

/** A group, its parent, and so on to the root. */
export function lineageOf(group: ThingGroup): readonly ThingGroup[] {
  const lineage: ThingGroup[] = [];
  for (let each: ThingGroup | undefined = group; each; each = each.parent) lineage.push(each);
  return lineage;
}

/** The groups above a group, the nearest first. */
function parentsOf(group: ThingGroup): readonly ThingGroup[] {
  return lineageOf(group).slice(1);
}

/** All groups below a group. */
export function descendantsOf(group: ThingGroup): readonly ThingGroup[] {
  return [...group.children].flatMap((child) => [child, ...descendantsOf(child)]);
}

function rootOf(group: ThingGroup): ThingGroup | undefined {
  return lineageOf(group).at(-1);
}

function checkRoom(parent: ThingGroup): void {
  if (parent.children.size >= MAX_CHILDREN) {
    throw limitExceeded(`thing group ${parent.name} has ${MAX_CHILDREN} child groups; more are not possible`);
  }
  if (lineageOf(parent).length >= MAX_DEPTH) {
    throw limitExceeded(`a hierarchy of thing groups has at most ${MAX_DEPTH} levels; ${parent.name} is on the last`);
  }
}

function checkedAttributes(current: Attributes, { attributes, merge }: ThingGroupProperties): Attributes {
  const updated = attributes ? updateAttributes(current, checkAttributes(attributes), merge) : current;
  const count = Object.keys(updated).length;
  if (count > MAX_ATTRIBUTES) {
    throw invalidRequest(`a thing group has at most ${MAX_ATTRIBUTES} attributes; this one would have ${count}`);
  }
  return updated;
}

function checkDescription(description: string | undefined): string | undefined {
  if ((description?.length ?? 0) > MAX_DESCRIPTION_LENGTH) {
    throw invalidRequest(`thingGroupDescription has at most ${MAX_DESCRIPTION_LENGTH} characters`);
  }
  return description;
}

function checkVersion({ name, version }: ThingGroup, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) {
    throw versionConflict(`The version for thing group ${name} is ${version}, expected was ${expected}`);
  }
}
