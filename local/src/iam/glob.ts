/**
 * Patterns of policies: `*` for any text, `?` for one character, `${key}` for a value of the request. Matching is linear
 * in the text for each star, whatever the pattern: no regular expression, so no pattern can hang the runtime.
 */
import { invalid } from '../kernel/errors.ts';

/** Gives the value of a policy variable, undefined when the request has none. */
export type Variables = (name: string) => string | undefined;

export type Match = (text: string, variables: Variables) => boolean;

const STAR = -1;
const ONE = -2;
/** The same, but not over a colon. */
const STAR_IN_SEGMENT = -3;
const ONE_IN_SEGMENT = -4;
const COLON = ':'.charCodeAt(0);

/** Character codes, one of the wildcards above, or a variable. */
type Token = number | Variable;

interface Variable {
  readonly name: string;
  readonly fallback: string | undefined;
}

export interface GlobOptions {
  /** `*` and `?` are wildcards; otherwise plain characters. */
  readonly wildcards: boolean;
  /** `${...}` is replaced; only policies of version 2012-10-17 have variables. */
  readonly variables: boolean;
  readonly ignoreCase?: boolean;
}

/** Compiles a pattern; a variable without a value matches nothing. Throws MalformedPolicyDocument for an open `${`. */
export function compileGlob(pattern: string, options: GlobOptions): Match {
  return compileTokens(tokenize(options.ignoreCase ? pattern.toLowerCase() : pattern, options), options);
}

/**
 * A pattern of a Resource element: in the first five parts of the ARN a `*` crosses a colon only when it ends its part,
 * and a `?` never does (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
 */
export function compileResourceGlob(pattern: string, options: { readonly variables: boolean }): Match {
  const tokens = tokenize(pattern, { wildcards: true, ...options });
  let colons = 0;
  const bound = tokens.map((token, at) => {
    if (token === COLON) colons += 1;
    if (colons >= 5) return token;
    if (token === ONE) return ONE_IN_SEGMENT;
    const next = tokens[at + 1];
    return token === STAR && next !== undefined && next !== COLON ? STAR_IN_SEGMENT : token;
  });
  return compileTokens(bound, { wildcards: true, ...options });
}

function compileTokens(tokens: readonly Token[], options: GlobOptions): Match {
  const fold = options.ignoreCase ? (text: string) => text.toLowerCase() : (text: string) => text;
  if (tokens.some((each) => typeof each !== 'number')) {
    return (text, variables) => {
      const resolved = resolve(tokens, variables, fold);
      return resolved !== undefined && matches(resolved, fold(text));
    };
  }
  // Every token is a number now.
  const codes = tokens as readonly number[];
  if (codes.every((code) => code >= 0)) {
    const literal = String.fromCharCode(...codes);
    return (text) => fold(text) === literal;
  }
  if (codes.length === 1 && codes[0] === STAR) return () => true;
  return (text) => matches(codes, fold(text));
}

/** A pattern of an Arn condition: each of the six parts is matched by itself, so that no `*` crosses a colon. */
export function compileArnGlob(pattern: string, options: GlobOptions): Match {
  if (pattern === '*') return () => true;
  const parts = splitOutsideVariables(pattern);
  if (parts.slice(0, 5).every((part) => !/[*?$]/.test(part))) return compileGlob(pattern, options);
  const compiled = parts.map((part) => compileGlob(part, options));
  return (text, variables) => {
    const given = splitArn(text);
    return given.length === compiled.length && compiled.every((match, at) => match(given[at] ?? '', variables));
  };
}

function splitArn(text: string): readonly string[] {
  const parts = text.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** The six parts of an ARN pattern; a colon within `${aws:username}` separates nothing. */
export function splitOutsideVariables(pattern: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '$' && pattern[at + 1] === '{') depth += 1;
    if (character === '}' && depth > 0) depth -= 1;
    if (character === ':' && depth === 0 && parts.length < 6) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function tokenize(pattern: string, options: GlobOptions): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (options.variables && character === '$' && pattern[at + 1] === '{') {
      const end = pattern.indexOf('}', at);
      if (end < 0) throw invalid(`"${pattern}" has a policy variable that is not closed`, 'MalformedPolicyDocument');
      tokens.push(variableToken(pattern.slice(at + 2, end)));
      at = end;
    } else if (options.wildcards && character === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (options.wildcards && character === '?') {
      tokens.push(ONE);
    } else {
      tokens.push(pattern.charCodeAt(at));
    }
  }
  return tokens;
}

/** `${*}`, `${?}` and `${$}` are the characters themselves; `${key, 'default'}` has a default. */
function variableToken(inside: string): Token {
  if (inside === '*' || inside === '?' || inside === '$') return inside.charCodeAt(0);
  const withDefault = /^([^,]+),\s*'([^']*)'\s*$/.exec(inside);
  return { name: (withDefault?.[1] ?? inside).trim(), fallback: withDefault?.[2] };
}

function resolve(
  tokens: readonly Token[],
  variables: Variables,
  fold: (text: string) => string,
): readonly number[] | undefined {
  const codes: number[] = [];
  for (const token of tokens) {
    if (typeof token === 'number') {
      codes.push(token);
      continue;
    }
    const value = variables(token.name) ?? token.fallback;
    if (value === undefined) return undefined;
    for (const character of fold(value).split('')) codes.push(character.charCodeAt(0));
  }
  return codes;
}

function matches(pattern: readonly number[], text: string): boolean {
  return pattern.includes(STAR_IN_SEGMENT) ? matchesEachPosition(pattern, text) : matchesGreedily(pattern, text);
}

/** With one point to return to: the latest star. Right as long as every star may take any text. */
function matchesGreedily(pattern: readonly number[], text: string): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < text.length) {
    const token = pattern[at];
    if (token === STAR) {
      starAt = at++;
      starPosition = position;
    } else if (token !== undefined && takesOne(token, text.charCodeAt(position))) {
      at += 1;
      position += 1;
    } else if (starAt >= 0) {
      at = starAt + 1;
      position = ++starPosition;
    } else {
      return false;
    }
  }
  while (pattern[at] === STAR) at += 1;
  return at === pattern.length;
}

/** Keeps all positions of the text that the pattern so far can have reached. */
function matchesEachPosition(pattern: readonly number[], text: string): boolean {
  let reached = new Array<boolean>(text.length + 1).fill(false);
  reached[0] = true;
  for (const token of pattern) {
    const next = new Array<boolean>(text.length + 1).fill(false);
    for (let at = 0; at <= text.length; at += 1) {
      const before = text.charCodeAt(at - 1);
      if (token === STAR) next[at] = reached[at] === true || next[at - 1] === true;
      else if (token === STAR_IN_SEGMENT)
        next[at] = reached[at] === true || (next[at - 1] === true && before !== COLON);
      else next[at] = reached[at - 1] === true && takesOne(token, before);
    }
    reached = next;
  }
  return reached[text.length] === true;
}

function takesOne(token: number, code: number): boolean {
  return token === code || token === ONE || (token === ONE_IN_SEGMENT && code !== COLON);
}
