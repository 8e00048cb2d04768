/**
 * How a section (`desired` or `reported`) of a shadow changes and differs
 * (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html).
 */
import { isEqual, isObject, type Json, type JsonObject, newObject } from './json.ts';

/** A section with the time of each leaf, `{"timestamp": <epoch seconds>}`, in the same shape. */
export interface Section {
  readonly state: JsonObject;
  readonly metadata: JsonObject;
}

const EMPTY: Section = { state: newObject(), metadata: newObject() };

/**
 * Merges an update into a section: objects key by key, `null` deletes, anything else replaces. Undefined when nothing
 * is left: "If an update causes the desired or reported properties to become null, it is removed from the document."
 */
export function mergeSection(
  current: Section | undefined,
  patch: JsonObject | null,
  timestamp: number,
): Section | undefined {
  if (patch === null) return undefined;
  const merged = merge(current ?? EMPTY, patch, timestamp);
  return Object.keys(merged.state).length === 0 ? undefined : merged;
}

/** The metadata of the fields that a request sets, as its answer carries them. */
export function stamp(value: Json, timestamp: number): Json {
  if (Array.isArray(value)) return value.map((each: Json) => stamp(each, timestamp));
  if (!isObject(value)) return { timestamp };
  const stamped = newObject();
  for (const [key, each] of Object.entries(value)) if (each !== null) stamped[key] = stamp(each, timestamp);
  return stamped;
}

/**
 * What is desired and not reported, with the metadata of the desired section; undefined when nothing is. Only the
 * leaves that differ, with their path to the root; a different array is copied whole.
 */
export function deltaOf(desired: Section | undefined, reported: Section | undefined): Section | undefined {
  return desired && difference(desired, reported?.state);
}

function merge(current: Section, patch: JsonObject, timestamp: number): Section {
  const state = Object.assign(newObject(), current.state);
  const metadata = Object.assign(newObject(), current.metadata);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete state[key];
      delete metadata[key];
    } else if (isObject(value)) {
      const merged = merge(member(current, key), value, timestamp);
      state[key] = merged.state;
      metadata[key] = merged.metadata;
    } else {
      state[key] = value;
      metadata[key] = stamp(value, timestamp);
    }
  }
  return { state, metadata };
}

/** The object under a key; an empty one when there is none. */
function member({ state, metadata }: Section, key: string): Section {
  const [inner, stamps] = [state[key], metadata[key]];
  return isObject(inner) && isObject(stamps) ? { state: inner, metadata: stamps } : EMPTY;
}

function difference(desired: Section, reported: JsonObject | undefined): Section | undefined {
  const state = newObject();
  const metadata = newObject();
  for (const [key, wanted] of Object.entries(desired.state)) {
    const is = reported && Object.hasOwn(reported, key) ? reported[key] : undefined;
    if (isObject(wanted) && isObject(is)) {
      const inner = difference(member(desired, key), is);
      if (!inner) continue;
      state[key] = inner.state;
      metadata[key] = inner.metadata;
    } else if (is === undefined || !isEqual(wanted, is)) {
      state[key] = wanted;
      metadata[key] = desired.metadata[key] ?? newObject();
    }
  }
  return Object.keys(state).length === 0 ? undefined : { state, metadata };
}
