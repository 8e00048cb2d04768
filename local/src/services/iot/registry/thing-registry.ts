import { randomUUID } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { invalidRequest, resourceAlreadyExists, resourceNotFound, versionConflict } from '../control/errors.ts';
import { type Attributes, checkAttributes, checkCount, sameAttributes, updateAttributes } from './attributes.ts';
import type { RegistryEvents } from './registry-events.ts';
import { ThingGroups } from './thing-groups.ts';
import type { ThingTypes } from './thing-types.ts';

export interface Thing {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  typeName: string | undefined;
  attributes: Attributes;
  version: number;
}

/** `EXCLUSIVE_THING`: the principal belongs to this thing and to no other. */
export type ThingPrincipalType = 'EXCLUSIVE_THING' | 'NON_EXCLUSIVE_THING';

export interface ThingUpdate {
  readonly typeName: string | undefined;
  readonly removeType: boolean;
  readonly attributes: Attributes | undefined;
  readonly merge: boolean;
  readonly expectedVersion: number | undefined;
}

type Attachments = Map<string, ThingPrincipalType>;

interface KeptThing {
  readonly thing: Thing;
  readonly principals: ReadonlyMap<string, ThingPrincipalType>;
}

/** The things of the account and the principals that are attached to them. */
export class ThingRegistry {
  readonly types: ThingTypes;
  readonly groups: ThingGroups;
  readonly #kernel: Kernel;
  readonly #onChange: () => void;
  readonly #events: RegistryEvents | undefined;
  readonly #things = new Map<string, Thing>();
  readonly #principalsByThing = new Map<string, Attachments>();
  readonly #thingsByPrincipal = new Map<string, Attachments>();

  /** `onChange` is called whenever an answer of the authorizer may change; `events` hears of what happens. */
  constructor(kernel: Kernel, types: ThingTypes, onChange: () => void, events?: RegistryEvents) {
    this.#kernel = kernel;
    this.types = types;
    this.groups = new ThingGroups(kernel, onChange, events && { events, find: (name) => this.#things.get(name) });
    this.#onChange = onChange;
    this.#events = events;
  }

  get all(): Iterable<Thing> {
    return this.#things.values();
  }

  find(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string): Thing {
    const found = this.#things.get(name);
    if (!found) throw resourceNotFound(`Thing ${name} not found in the registry`);
    return found;
  }

  /**
   * Creates a thing; the same thing again gives the one that exists.
   *
   * @throws AwsError ResourceAlreadyExistsException when it exists with another type or other attributes
   */
  create(name: string, typeName: string | undefined, given: Attributes): Thing {
    const attributes = checkAttributes(given);
    const existing = this.#things.get(name);
    if (existing) {
      if (existing.typeName === typeName && sameAttributes(existing.attributes, attributes)) return existing;
      throw resourceAlreadyExists(
        `Thing ${name} already exists in account with different thing type or attributes`,
        existing.id,
        existing.arn,
      );
    }
    if (typeName !== undefined) this.types.requireUsable(typeName);
    checkCount(attributes, typeName !== undefined);
    const arn = this.#kernel.arn('iot', `thing/${name}`);
    const thing: Thing = { name, arn, id: randomUUID(), typeName, attributes, version: 1 };
    this.#things.set(name, thing);
    this.#onChange();
    this.#events?.thing('CREATED', thing);
    if (typeName !== undefined) this.#events?.typeAssociation('ADDED', thing, typeName);
    return thing;
  }

  /** @throws AwsError VersionConflictException, ResourceNotFoundException, InvalidRequestException, LimitExceededException */
  update(name: string, change: ThingUpdate): void {
    const thing = this.get(name);
    checkVersion(thing, change.expectedVersion);
    if (change.typeName !== undefined && change.removeType) {
      throw invalidRequest('thingTypeName and removeThingType exclude each other');
    }
    if (change.typeName !== undefined && change.typeName !== thing.typeName) this.types.requireUsable(change.typeName);
    const typeName = change.removeType ? undefined : (change.typeName ?? thing.typeName);
    const attributes = change.attributes
      ? updateAttributes(thing.attributes, change.attributes, change.merge)
      : thing.attributes;
    checkCount(attributes, typeName !== undefined);
    const typeBefore = thing.typeName;
    thing.typeName = typeName;
    thing.attributes = attributes;
    thing.version += 1;
    this.#onChange();
    this.#events?.thing('UPDATED', thing);
    if (typeBefore === typeName) return;
    if (typeBefore !== undefined) this.#events?.typeAssociation('REMOVED', thing, typeBefore);
    if (typeName !== undefined) this.#events?.typeAssociation('ADDED', thing, typeName);
  }

  /** Deletes a thing; one that does not exist is no error, as on AWS. */
  delete(name: string, expectedVersion: number | undefined): void {
    const thing = this.#things.get(name);
    if (!thing) return;
    checkVersion(thing, expectedVersion);
    if (this.principalsOf(name).size > 0) {
      throw invalidRequest(`Cannot delete. Thing ${name} is still attached to one or more principals`);
    }
    this.groups.forget(name);
    this.#things.delete(name);
    this.#onChange();
    if (thing.typeName !== undefined) this.#events?.typeAssociation('REMOVED', thing, thing.typeName);
    this.#events?.thing('DELETED', thing);
  }

  *save(): Generator<KeptRecord> {
    yield* this.types.save();
    yield* this.groups.save();
    for (const thing of this.#things.values()) {
      yield [`thing/${thing.name}`, { thing, principals: this.principalsOf(thing.name) } satisfies KeptThing];
    }
  }

  restore(records: KeptRecords): void {
    this.types.restore(records);
    this.groups.restore(records);
    for (const { thing, principals } of records.all<KeptThing>('thing/')) {
      this.#things.set(thing.name, thing);
      for (const [principal, type] of principals) {
        entryOf(this.#principalsByThing, thing.name).set(principal, type);
        entryOf(this.#thingsByPrincipal, principal).set(thing.name, type);
      }
    }
    this.#onChange();
  }

  principalsOf(thingName: string): ReadonlyMap<string, ThingPrincipalType> {
    return this.#principalsByThing.get(thingName) ?? new Map();
  }

  thingsOf(principal: string): ReadonlyMap<string, ThingPrincipalType> {
    return this.#thingsByPrincipal.get(principal) ?? new Map();
  }

  isAttached(principal: string, thingName: string): boolean {
    return this.#thingsByPrincipal.get(principal)?.has(thingName) ?? false;
  }

  /**
   * The thing of an MQTT connection: the one to which the principal is attached exclusively, or the one called as the
   * client id, if attached (https://docs.aws.amazon.com/iot/latest/developerguide/exclusive-thing.html).
   */
  thingOf(principal: string, clientId: string | undefined): Thing | undefined {
    const exclusive = this.exclusiveThingOf(principal);
    if (exclusive) return exclusive;
    return clientId !== undefined && this.isAttached(principal, clientId) ? this.#things.get(clientId) : undefined;
  }

  /** The thing to which a principal is attached exclusively. */
  exclusiveThingOf(principal: string): Thing | undefined {
    const attached = this.#thingsByPrincipal.get(principal);
    if (attached?.size !== 1) return undefined;
    const [[name, type] = ['', undefined]] = attached;
    return type === 'EXCLUSIVE_THING' ? this.#things.get(name) : undefined;
  }

  /** @throws AwsError ResourceNotFoundException, InvalidRequestException when the attachments would not be exclusive */
  attach(thingName: string, principal: string, type: ThingPrincipalType): void {
    this.get(thingName);
    const others = [...this.thingsOf(principal)].filter(([name]) => name !== thingName);
    const [taken] = others;
    if (taken && (type === 'EXCLUSIVE_THING' || taken[1] === 'EXCLUSIVE_THING')) {
      throw invalidRequest(`The principal is attached to thing ${taken[0]}; an exclusive attachment is the only one`);
    }
    entryOf(this.#principalsByThing, thingName).set(principal, type);
    entryOf(this.#thingsByPrincipal, principal).set(thingName, type);
    this.#onChange();
  }

  /** @throws AwsError ResourceNotFoundException when there is no such thing */
  detach(thingName: string, principal: string): void {
    this.get(thingName);
    this.#principalsByThing.get(thingName)?.delete(principal);
    this.#thingsByPrincipal.get(principal)?.delete(thingName);
    this.#onChange();
  }
}

function checkVersion(thing: Thing, expected: number | undefined): void {
  if (expected !== undefined && expected !== thing.version) {
    throw versionConflict(`The version for thing ${thing.name} is ${thing.version}, expected was ${expected}`);
  }
}

function entryOf(index: Map<string, Attachments>, key: string): Attachments {
  let entry = index.get(key);
  if (!entry) {
    entry = new Map();
    index.set(key, entry);
  }
  return entry;
}
