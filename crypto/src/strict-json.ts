/**
 * JSON that can be read in one way only. What is signed here has exactly the bytes that `JSON.stringify` writes: so no member
 * stands twice, nothing follows, and two readers cannot understand two different things.
 */

/** The bytes of a document that is to be signed. */
export function documentBytes(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}

/**
 * Reads such bytes. @throws Error for any others: a byte order mark, bytes that are no UTF-8, spaces, a member that stands twice,
 * another way to write a number or a string, nesting that exceeds the stack.
 */
export function readStrictJson(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const value: unknown = JSON.parse(text);
  if (JSON.stringify(value) !== text) throw new Error('is JSON, but not as it is signed here');
  return value;
}
