import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { meterShadow } from '../metering.ts';
import type { MessageBus } from '../types.ts';
import { isObject, type Json, type JsonObject, newObject } from './json.ts';
import { deltaOf, mergeSection, type Section, stamp } from './section.ts';
import { ShadowError } from './shadow-error.ts';
import { type ShadowId, shadowTopicPrefix } from './shadow-topics.ts';
import { MAX_DOCUMENT_BYTES, parseUpdateRequest, type UpdateRequest } from './update-request.ts';

/** "The version of a deleted shadow is kept for 48 hours" (device-shadow-rest-api, DeleteThingShadow). */
const VERSION_KEPT_MS = 48 * 3600 * 1000;

const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;
const SHADOW_NAME = /^[$a-zA-Z0-9:_-]{1,64}$/;

interface Shadow {
  readonly version: number;
  readonly desired: Section | undefined;
  readonly reported: Section | undefined;
  /** Set when it was deleted: only the version is left. */
  readonly deletedAt: number | undefined;
}

/** Documents as JSON, so that keys such as `__proto__` come back as what they are. */
interface KeptShadow {
  readonly thingName: string;
  readonly shadowName: string;
  readonly version: number;
  readonly deletedAt: number | undefined;
  readonly desired: string | undefined;
  readonly reported: string | undefined;
}

export interface ShadowsOptions {
  readonly bus: MessageBus;
  /** Whether the registry has this thing: a shadow can only be created for one. */
  readonly thingExists: (thingName: string) => boolean;
}

/** A shadow document as answers carry it. */
export type ShadowDocument = JsonObject;

/** The shadows of all things, classic and named. Deleting a thing does not delete its shadows. */
export class Shadows {
  readonly #kernel: Kernel;
  readonly #options: ShadowsOptions;
  readonly #shadows = new Map<string, Map<string, Shadow>>();

  constructor(kernel: Kernel, options: ShadowsOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  /**
   * The document with its delta.
   *
   * @throws ShadowError 404 "No shadow exists with name: '<thing>'", '<thing>~<name>' for a named one
   */
  get(id: ShadowId, clientToken?: string): ShadowDocument {
    checkNames(id);
    const shadow = this.#existing(id, clientToken);
    meterShadow(this.#kernel.meter, 'GetThingShadow', stateBytes(shadow));
    const delta = deltaOf(shadow.desired, shadow.reported);
    return {
      state: { ...states(shadow), ...(delta && { delta: delta.state }) },
      metadata: metadatas(shadow),
      version: shadow.version,
      timestamp: this.#seconds(),
      ...token(clientToken),
    };
  }

  /**
   * Merges a request document and publishes delta, documents and accepted, in this order; gives the accepted document.
   *
   * @throws ShadowError 400, 404 "Thing not found", 409 "Version conflict", 413, 415
   */
  update(id: ShadowId, payload: Uint8Array): ShadowDocument {
    checkNames(id);
    const request = parseUpdateRequest(payload);
    const previous = this.#find(id);
    this.#checkVersion(id, request, previous);
    const timestamp = this.#seconds();
    const current = apply(previous, request, timestamp);
    const bytes = stateBytes(current);
    if (bytes > MAX_DOCUMENT_BYTES) {
      throw new ShadowError(413, 'The payload exceeds the maximum size allowed', request.clientToken);
    }
    this.#store(id, current);
    meterShadow(this.#kernel.meter, 'UpdateThingShadow', bytes);

    const { version } = current;
    const end = { timestamp, ...token(request.clientToken) };
    const delta = deltaOf(current.desired, current.reported);
    // Published on every update that leaves a difference, with all of it, not only what is new.
    if (delta) this.#publish(id, 'update/delta', { version, ...end, state: delta.state, metadata: delta.metadata });
    this.#publish(id, 'update/documents', { previous: inFull(previous), current: inFull(current), ...end });
    const accepted = { state: request.state, metadata: stampRequest(request, timestamp), version, ...end };
    this.#publish(id, 'update/accepted', accepted);
    return accepted;
  }

  /**
   * Deletes the document and publishes delete/accepted; the version goes on if the shadow is created again within 48
   * hours.
   *
   * @throws ShadowError 404 as `get`
   */
  delete(id: ShadowId, clientToken?: string): ShadowDocument {
    checkNames(id);
    const existing = this.#existing(id, clientToken);
    const { version } = existing;
    meterShadow(this.#kernel.meter, 'DeleteThingShadow', stateBytes(existing));
    this.#store(id, { version, desired: undefined, reported: undefined, deletedAt: this.#kernel.clock.now() });
    const accepted = { version, timestamp: this.#seconds(), ...token(clientToken) };
    this.#publish(id, 'delete/accepted', accepted);
    return accepted;
  }

  /** The names of a thing's named shadows, sorted. */
  namesOf(thingName: string): readonly string[] {
    checkNames({ thingName, shadowName: undefined });
    const shadows = [...(this.#shadows.get(thingName) ?? [])];
    return shadows.flatMap(([name, shadow]) => (name !== '' && shadow.deletedAt === undefined ? [name] : [])).sort();
  }

  *save(): Generator<KeptRecord> {
    for (const [thingName, shadows] of this.#shadows) {
      for (const [shadowName, shadow] of shadows) {
        const { version, deletedAt, desired, reported } = shadow;
        const value = (): KeptShadow => ({
          ...{ thingName, shadowName, version, deletedAt },
          desired: desired && JSON.stringify(desired),
          reported: reported && JSON.stringify(reported),
        });
        // A shadow is replaced, never changed.
        yield [`shadow/${thingName}/${shadowName}`, value, shadow];
      }
    }
  }

  restore(records: KeptRecords): void {
    for (const { thingName, shadowName, version, deletedAt, desired, reported } of records.all<KeptShadow>('shadow/')) {
      const shadow: Shadow = { version, deletedAt, desired: sectionOf(desired), reported: sectionOf(reported) };
      this.#store({ thingName, shadowName }, shadow);
    }
  }

  #existing(id: ShadowId, clientToken: string | undefined): Shadow {
    const shadow = this.#find(id);
    if (shadow && shadow.deletedAt === undefined) return shadow;
    const name = id.shadowName === undefined ? id.thingName : `${id.thingName}~${id.shadowName}`;
    throw new ShadowError(404, `No shadow exists with name: '${name}'`, clientToken);
  }

  /** Also one that was deleted in the last 48 hours. */
  #find({ thingName, shadowName = '' }: ShadowId): Shadow | undefined {
    const shadow = this.#shadows.get(thingName)?.get(shadowName);
    if (shadow?.deletedAt === undefined || this.#kernel.clock.now() < shadow.deletedAt + VERSION_KEPT_MS) return shadow;
    this.#shadows.get(thingName)?.delete(shadowName);
    return undefined;
  }

  #store({ thingName, shadowName = '' }: ShadowId, shadow: Shadow): void {
    const shadows = this.#shadows.get(thingName) ?? new Map<string, Shadow>();
    this.#shadows.set(thingName, shadows.set(shadowName, shadow));
  }

  #checkVersion(id: ShadowId, { version, clientToken }: UpdateRequest, previous: Shadow | undefined): void {
    if (!previous && !this.#options.thingExists(id.thingName)) {
      throw new ShadowError(404, 'Thing not found', clientToken);
    }
    if (version !== undefined && version !== (previous?.version ?? 0)) {
      throw new ShadowError(409, 'Version conflict', clientToken);
    }
  }

  #publish(id: ShadowId, stub: string, document: ShadowDocument): void {
    this.#options.bus.publishFromService(`${shadowTopicPrefix(id)}/${stub}`, document);
  }

  #seconds(): number {
    return Math.floor(this.#kernel.clock.now() / 1000);
  }
}

function sectionOf(kept: string | undefined): Section | undefined {
  if (kept === undefined) return undefined;
  const withoutPrototypes = (_key: string, value: Json): Json =>
    isObject(value) ? Object.assign(newObject(), value) : value;
  return JSON.parse(kept, withoutPrototypes) as Section;
}

function checkNames({ thingName, shadowName }: ShadowId): void {
  if (!THING_NAME.test(thingName)) throw new ShadowError(400, `Invalid thing name: ${thingName}`);
  if (shadowName !== undefined && !SHADOW_NAME.test(shadowName)) {
    throw new ShadowError(400, `Invalid shadow name: ${shadowName}`);
  }
}

function apply(previous: Shadow | undefined, { state }: UpdateRequest, timestamp: number): Shadow {
  const section = (name: 'desired' | 'reported'): Section | undefined => {
    if (state === null) return undefined;
    const patch = state[name];
    return patch === undefined ? previous?.[name] : mergeSection(previous?.[name], patch, timestamp);
  };
  return {
    version: (previous?.version ?? 0) + 1,
    desired: section('desired'),
    reported: section('reported'),
    deletedAt: undefined,
  };
}

function states({ desired, reported }: Shadow): JsonObject {
  return { ...(desired && { desired: desired.state }), ...(reported && { reported: reported.state }) };
}

function stateBytes(shadow: Shadow): number {
  return Buffer.byteLength(JSON.stringify(states(shadow)));
}

function metadatas({ desired, reported }: Shadow): JsonObject {
  return { ...(desired && { desired: desired.metadata }), ...(reported && { reported: reported.metadata }) };
}

/** As `update/documents` has it; before its creation a shadow is empty and has version 0. */
function inFull(shadow: Shadow | undefined): JsonObject {
  if (!shadow) return { state: newObject(), metadata: newObject(), version: 0 };
  return { state: states(shadow), metadata: metadatas(shadow), version: shadow.version };
}

function stampRequest({ state }: UpdateRequest, timestamp: number): JsonObject {
  const stamped = newObject();
  for (const [name, section] of Object.entries(state ?? {})) {
    if (isObject(section)) stamped[name] = stamp(section, timestamp);
  }
  return stamped;
}

function token(clientToken: string | undefined): JsonObject {
  return clientToken === undefined ? {} : { clientToken };
}
