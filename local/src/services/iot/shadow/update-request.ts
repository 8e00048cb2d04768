import { isObject, type Json, type JsonObject } from './json.ts';
import { ShadowError } from './shadow-error.ts';

/** "Maximum size of a JSON state document" (quotas of the Device Shadow service), without metadata. */
export const MAX_DOCUMENT_BYTES = 8 * 1024;

/** "Maximum depth of JSON device state documents", counted within `desired` and `reported`. */
const MAX_DEPTH = 8;

const MAX_CLIENT_TOKEN_BYTES = 64;

/** A section that is absent is not touched; `null` deletes it; a `state` of null deletes both. */
export interface UpdateRequest {
  readonly state: { readonly desired?: JsonObject | null; readonly reported?: JsonObject | null } | null;
  readonly version: number | undefined;
  readonly clientToken: string | undefined;
}

/**
 * Reads the payload of an update.
 *
 * @throws ShadowError with the messages of device-shadow-error-messages
 */
export function parseUpdateRequest(payload: Uint8Array): UpdateRequest {
  if (payload.length > MAX_DOCUMENT_BYTES) throw new ShadowError(413, 'The payload exceeds the maximum size allowed');
  const request = parseObject(payload);
  const clientToken = readClientToken(request);
  const refuse = (message: string): never => {
    throw new ShadowError(400, message, clientToken);
  };
  const { version, state } = request;
  if (version !== undefined && (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0)) {
    return refuse('Invalid version');
  }
  if (state === undefined) return refuse('Missing required node: state');
  if (state === null) return { state, version, clientToken };
  if (!isObject(state)) return refuse('State node must be an object');
  for (const key of Object.keys(state)) {
    if (key !== 'desired' && key !== 'reported') refuse(`State contains an invalid node: '${key}'`);
  }
  const { desired, reported } = state;
  if (desired !== undefined && desired !== null && !isObject(desired)) return refuse('Desired node must be an object');
  if (reported !== undefined && reported !== null && !isObject(reported)) {
    return refuse('Reported node must be an object');
  }
  for (const section of [desired, reported]) {
    if (section && depth(section) > MAX_DEPTH) {
      refuse(`JSON contains too many levels of nesting; maximum is ${MAX_DEPTH}`);
    }
    // "Arrays can't have null values."
    const key = section && findNullInArray(section);
    if (key !== undefined && key !== null) refuse(`State contains an invalid node: '${key}'`);
  }
  return {
    state: { ...(desired !== undefined && { desired }), ...(reported !== undefined && { reported }) },
    version,
    clientToken,
  };
}

/**
 * The client token of a get or delete, whose payload may be empty.
 *
 * @throws ShadowError 400 when there is a payload that is no JSON object
 */
export function parseClientToken(payload: Uint8Array): string | undefined {
  return payload.length === 0 ? undefined : readClientToken(parseObject(payload));
}

function parseObject(payload: Uint8Array): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    throw new ShadowError(415, 'Unsupported documented encoding; supported encoding is UTF-8');
  }
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new ShadowError(400, 'Invalid JSON');
  }
  if (!isObject(value)) throw new ShadowError(400, 'Invalid JSON');
  return value;
}

function readClientToken({ clientToken }: JsonObject): string | undefined {
  if (clientToken === undefined) return undefined;
  if (typeof clientToken !== 'string' || Buffer.byteLength(clientToken) > MAX_CLIENT_TOKEN_BYTES) {
    throw new ShadowError(400, 'Invalid clientToken');
  }
  return clientToken;
}

/** Levels of objects and arrays below a section: `{"a": {"b": 1}}` has two. */
function depth(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((each: Json) => depth(each)));
}

/** The key whose array has a null in it. */
function findNullInArray(value: JsonObject): string | undefined {
  for (const [key, each] of Object.entries(value)) {
    if (Array.isArray(each) && hasNull(each)) return key;
    const inner = isObject(each) ? findNullInArray(each) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function hasNull(list: readonly Json[]): boolean {
  return list.some(
    (each) =>
      each === null || (Array.isArray(each) ? hasNull(each) : isObject(each) && findNullInArray(each) !== undefined),
  );
}
