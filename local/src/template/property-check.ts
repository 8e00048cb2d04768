import { DEFERRED } from './intrinsics.ts';
import type { PropertySpec } from './resource-handler.ts';

/** Compares resolved properties with what the runtime knows of their type; reports each unknown property by its path. */
export function checkProperties(
  value: unknown,
  spec: PropertySpec,
  path: string,
  problem: (path: string, message: string) => void,
): void {
  if (value === DEFERRED || spec === 'executed' || spec === 'declared') return;
  if (isList(spec)) {
    if (!Array.isArray(value)) {
      problem(path, 'a list is expected here');
      return;
    }
    for (const [at, each] of value.entries()) checkProperties(each, spec[0], `${path}[${at}]`, problem);
    return;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problem(path, 'an object is expected here');
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const memberPath = path === '' ? name : `${path}.${name}`;
    const memberSpec = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (memberSpec === undefined) {
      problem(memberPath, `the runtime does not emulate this property; it knows ${Object.keys(spec).join(', ')}`);
    } else {
      checkProperties(member, memberSpec, memberPath, problem);
    }
  }
}

function isList(spec: PropertySpec): spec is readonly [PropertySpec] {
  return Array.isArray(spec);
}
