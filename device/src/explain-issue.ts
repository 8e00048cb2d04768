import * as v from 'valibot';

/** One line for a person about what is wrong with a configuration and, for a misspelt key, what was probably meant. */
export function explainIssue(schema: unknown, issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? 'the file';
  if (issue.type !== 'strict_object') return `${where}: ${issue.message}`;
  if (issue.expected !== 'never') return issue.path ? `${where}: is missing` : 'the file must hold one JSON object';
  const path = issue.path ?? [];
  const known = path
    .slice(0, -1)
    .reduce<readonly unknown[]>((schemas, item) => schemas.flatMap((each) => child(each, item.key)), [schema]);
  const keys = [...new Set(known.flatMap((each) => objectsIn(each).flatMap(Object.keys)))];
  const meant = nearest(String(path.at(-1)?.key), keys);
  return `${where}: unknown key; ${meant ? `did you mean "${meant}"?` : `known are ${keys.join(', ')}`}`;
}

/** The members of an object schema, or of all alternatives of a variant. */
function objectsIn(schema: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof schema !== 'object' || schema === null) return [];
  if ('wrapped' in schema) return objectsIn(schema.wrapped);
  if ('options' in schema && Array.isArray(schema.options)) return schema.options.flatMap(objectsIn);
  // Valibot's object schemas hold their members' schemas in `entries`.
  return 'entries' in schema ? [schema.entries as Readonly<Record<string, unknown>>] : [];
}

function child(schema: unknown, key: unknown): readonly unknown[] {
  if (typeof schema === 'object' && schema !== null) {
    if ('wrapped' in schema) return child(schema.wrapped, key);
    if ('item' in schema) return [schema.item];
    // A record: any key, one schema of values.
    if ('value' in schema && 'key' in schema) return [schema.value];
  }
  return objectsIn(schema).flatMap((entries) => entries[String(key)] ?? []);
}

/** The candidate with the fewest edits, when it is near enough to be a slip of the keyboard. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, Math.floor(candidate.length / 3)))
    .toSorted((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/** Levenshtein's distance. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
