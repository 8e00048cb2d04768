import { AwsError } from '../../kernel/errors.ts';

/** The name of the repeated element; for a map also the names of its key and value. */
export type Flattened = string | { readonly name: string; readonly key: string; readonly value: string };

type Nested = { [name: string]: Nested | string };

/**
 * Turns `Tags.member.1.Key=a` into `{Tags: [{Key: 'a'}]}`, `Attributes.entry.1.key=a&Attributes.entry.1.value=b` into
 * `{Attributes: {a: 'b'}}` and flat lists (`AttributeName.1=All`) into lists. Throws MalformedQueryString.
 */
export function parseForm(
  form: URLSearchParams,
  operation: string,
  flattened: Readonly<Record<string, Flattened>>,
): Record<string, unknown> {
  const root: Nested = Object.create(null);
  for (const [path, value] of form) {
    if (path === 'Action' || path === 'Version') continue;
    put(root, path.split('.'), value, path);
  }
  return foldStructure(root, memberNames(operation, flattened));
}

interface Member {
  readonly member: string;
  readonly spec: Flattened;
}

function memberNames(operation: string, flattened: Readonly<Record<string, Flattened>>): ReadonlyMap<string, Member> {
  const names = new Map<string, Member>();
  for (const [path, spec] of Object.entries(flattened)) {
    const [first, second] = path.split('.');
    if (first === undefined || (second !== undefined && first !== operation)) continue;
    names.set(typeof spec === 'string' ? spec : spec.name, { member: second ?? first, spec });
  }
  return names;
}

function put(root: Nested, segments: readonly string[], value: string, path: string): void {
  let at = root;
  for (const segment of segments.slice(0, -1)) {
    const next = at[segment];
    if (typeof next === 'string') {
      throw new AwsError('MalformedQueryString', `${path} is given both as a value and as a structure`);
    }
    if (next === undefined) {
      const created: Nested = Object.create(null);
      at[segment] = created;
      at = created;
    } else {
      at = next;
    }
  }
  at[segments.at(-1) ?? ''] = value;
}

function foldStructure(nested: Nested, names: ReadonlyMap<string, Member>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(nested).map(([name, value]) => {
      const renamed = names.get(name);
      const folded = fold(value, names);
      if (!renamed) return [name, folded];
      const { member, spec } = renamed;
      return [member, typeof spec === 'string' ? [folded].flat() : toMap([folded].flat(), spec.key, spec.value)];
    }),
  );
}

function fold(value: Nested | string, names: ReadonlyMap<string, Member>): unknown {
  if (typeof value === 'string') return value;
  const keys = Object.keys(value);
  const only = keys.length === 1 ? keys[0] : undefined;
  if (only === 'member') return fold(value.member ?? '', names);
  if (only === 'entry') {
    const entries = fold(value.entry ?? '', names);
    // The usual names, and those of SNS message attributes.
    return Array.isArray(entries) ? toMap(entries, 'key', 'value', 'Name', 'Value') : entries;
  }
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return keys.toSorted((a, b) => Number(a) - Number(b)).map((key) => fold(value[key] ?? '', names));
  }
  return foldStructure(value, names);
}

function toMap(entries: readonly unknown[], ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map((entry) => {
      const members = Object(entry) as Record<string, unknown>;
      const keyName = names.find((name, at) => at % 2 === 0 && members[name] !== undefined) ?? '';
      return [String(members[keyName]), members[names[names.indexOf(keyName) + 1] ?? ''] ?? ''];
    }),
  );
}
