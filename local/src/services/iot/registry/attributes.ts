import { invalidRequest, limitExceeded } from '../control/errors.ts';

export type Attributes = Readonly<Record<string, string>>;

/** Quotas: "Maximum number of thing attributes for a thing without / with a thing type". */
const MAX_WITHOUT_TYPE = 3;
const MAX_WITH_TYPE = 50;

const NAME = /^[a-zA-Z0-9_.,@/:#-]{1,128}$/;
const VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/;

/** Checks names and values. Throws InvalidRequestException. */
export function checkAttributes(attributes: Attributes): Attributes {
  for (const [name, value] of Object.entries(attributes)) {
    if (!NAME.test(name))
      throw invalidRequest(`the attribute name ${JSON.stringify(name)} has to match ${NAME.source}`);
    if (typeof value !== 'string' || !VALUE.test(value)) {
      throw invalidRequest(`the value ${JSON.stringify(value)} of attribute ${name} has to match ${VALUE.source}`);
    }
  }
  return attributes;
}

/** Checks how many a thing may have. Throws LimitExceededException. */
export function checkCount(attributes: Attributes, hasType: boolean): void {
  const count = Object.keys(attributes).length;
  const max = hasType ? MAX_WITH_TYPE : MAX_WITHOUT_TYPE;
  if (count > max) {
    const kind = hasType ? 'with' : 'without';
    throw limitExceeded(`a thing ${kind} a thing type has at most ${max} attributes; this one would have ${count}`);
  }
}

/** UpdateThing: an attribute with an empty value goes away; without `merge` the others go too. */
export function updateAttributes(current: Attributes, change: Attributes, merge: boolean): Attributes {
  const all = { ...(merge ? current : {}), ...checkAttributes(change) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

/** Same names with the same values, in any order. */
export function sameAttributes(a: Attributes, b: Attributes): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
