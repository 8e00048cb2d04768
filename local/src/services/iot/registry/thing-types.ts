import { randomUUID } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { invalidRequest, resourceAlreadyExists, resourceNotFound } from '../control/errors.ts';
import type { RegistryEvents } from './registry-events.ts';

/** "You must wait 5 minutes after deprecating a thing type before you can delete it" (thing-types). */
const DELETABLE_AFTER_MS = 5 * 60_000;
const MAX_SEARCHABLE_ATTRIBUTES = 3;
const MAX_DESCRIPTION_LENGTH = 2028;

export interface ThingTypeProperties {
  readonly description: string | undefined;
  readonly searchableAttributes: readonly string[];
}

export interface ThingType {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly properties: ThingTypeProperties;
  readonly createdAt: number;
  /** Undefined while things may be given this type. */
  deprecatedAt: number | undefined;
}

/** The thing types of the account. */
export class ThingTypes {
  readonly #kernel: Kernel;
  readonly #events: RegistryEvents | undefined;
  readonly #types = new Map<string, ThingType>();

  constructor(kernel: Kernel, events?: RegistryEvents) {
    this.#kernel = kernel;
    this.#events = events;
  }

  get all(): Iterable<ThingType> {
    return this.#types.values();
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string): ThingType {
    const found = this.#types.get(name);
    if (!found) throw resourceNotFound(`Thing type ${name} not found in the registry`);
    return found;
  }

  /** @throws AwsError ResourceNotFoundException, InvalidRequestException for a deprecated type */
  requireUsable(name: string): void {
    if (this.get(name).deprecatedAt !== undefined) {
      throw invalidRequest(`Thing type ${name} is deprecated: no thing can be given it`);
    }
  }

  /** @throws AwsError ResourceAlreadyExistsException when it exists with other properties */
  create(name: string, properties: ThingTypeProperties): ThingType {
    const { description, searchableAttributes } = properties;
    if (searchableAttributes.length > MAX_SEARCHABLE_ATTRIBUTES) {
      throw invalidRequest(`a thing type has at most ${MAX_SEARCHABLE_ATTRIBUTES} searchable attributes`);
    }
    if ((description?.length ?? 0) > MAX_DESCRIPTION_LENGTH) {
      throw invalidRequest(`thingTypeDescription has at most ${MAX_DESCRIPTION_LENGTH} characters`);
    }
    const existing = this.#types.get(name);
    if (existing) {
      if (JSON.stringify(existing.properties) === JSON.stringify(properties)) return existing;
      throw resourceAlreadyExists(
        `Thing type ${name} already exists in account with different properties`,
        existing.id,
        existing.arn,
      );
    }
    const type: ThingType = {
      name,
      arn: this.#kernel.arn('iot', `thingtype/${name}`),
      id: randomUUID(),
      properties,
      createdAt: this.#kernel.clock.now(),
      deprecatedAt: undefined,
    };
    this.#types.set(name, type);
    this.#events?.thingType('CREATED', type);
    return type;
  }

  *save(): Generator<KeptRecord> {
    for (const type of this.#types.values()) yield [`type/${type.name}`, type];
  }

  restore(records: KeptRecords): void {
    for (const type of records.all<ThingType>('type/')) this.#types.set(type.name, type);
  }

  deprecate(name: string, undo: boolean): void {
    const type = this.get(name);
    type.deprecatedAt = undo ? undefined : (type.deprecatedAt ?? this.#kernel.clock.now());
    this.#events?.thingType('UPDATED', type);
  }

  /** @throws AwsError InvalidRequestException unless it has been deprecated for five minutes and no thing has it */
  delete(name: string, isUsed: boolean): void {
    const type = this.get(name);
    const { deprecatedAt } = type;
    if (deprecatedAt === undefined) throw invalidRequest(`Cannot delete thing type ${name}: deprecate it first`);
    if (this.#kernel.clock.now() - deprecatedAt < DELETABLE_AFTER_MS) {
      throw invalidRequest(`Cannot delete thing type ${name}: five minutes have to pass after its deprecation`);
    }
    if (isUsed) throw invalidRequest(`Cannot delete thing type ${name}: there are things of this type`);
    this.#types.delete(name);
    this.#events?.thingType('DELETED', type);
  }
}
