/**
 * A copy with memory of its own, for what is kept: a small buffer is mostly a slice of a larger one (a chunk from a socket, Node's
 * pool), which it would keep from being freed.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.byteLength);
  own.set(bytes);
  return own;
}
