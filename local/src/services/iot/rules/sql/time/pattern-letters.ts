/** A date and time pattern, taken apart: Joda-Time and the JDK agree on letters, quotes and what stands for itself. */
export type PatternPart = { readonly letter: string; readonly count: number } | { readonly text: string };

/** A pattern that cannot be used; the message says which letter. */
export class TimePatternError extends Error {}

const PART = /([A-Za-z])\1*|''|'((?:[^']|'')+)'|([^A-Za-z']+)/y;

/** Throws TimePatternError for a quote that is not closed. */
export function parsePattern(pattern: string): readonly PatternPart[] {
  const parts: PatternPart[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < pattern.length) {
    const match = PART.exec(pattern);
    if (!match) throw new TimePatternError(`the pattern "${pattern}" has a quote that is not closed`);
    const [whole, letter, quoted, plain] = match;
    if (letter !== undefined) parts.push({ letter, count: whole.length });
    else parts.push({ text: quoted?.replaceAll("''", "'") ?? plain ?? "'" });
  }
  return parts;
}

export function unsupportedLetter(letter: string, count: number): TimePatternError {
  return new TimePatternError(`the pattern letter ${letter.repeat(count)} is not supported`);
}
