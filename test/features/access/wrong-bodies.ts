const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;

/** What no route takes as a body: what it is, and its text. */
export const WRONG_BODIES: readonly (readonly [what: string, text: string])[] = [
  ['that is no JSON', '{"a": '],
  ['that is text', '"text"'],
  ['that is a list', '[{}]'],
  ['that is a number', '42'],
  ['that is null', 'null'],
  ['of a megabyte', JSON.stringify({ text: 'x'.repeat(1024 * 1024) })],
  ['that is nested deep', `{"a":${deep}}`],
  ['with half of a surrogate pair', '{"a":"\\ud83d"}'],
  ['with half of a surrogate pair in a name', '{"\\udc00":1}'],
  ['with a prototype', '{"__proto__":{"a":1}}'],
  ['with a member that nobody knows', '{"nobodyKnows":1}'],
  ['with NUL', '\u0000'],
];
