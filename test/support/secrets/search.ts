/** Finds secrets in outputs: many pieces in much text, in one pass over the text with a rolling hash. */
import { PIECE, piecesOf, withoutSpaces } from './encodings.ts';

export interface Secret {
  readonly slot: string;
  readonly bytes: Buffer;
}

export interface Found {
  readonly slot: string;
  /** How it was written: "base64", "as it is". */
  readonly form: string;
}

const BASE = 0x01000193;
/** What the character that leaves the window has been multiplied with. */
const LEAVING = Array.from({ length: PIECE }).reduce<number>((product) => Math.imul(product, BASE), 1);
const FILTER_BITS = 26;

interface Piece {
  readonly text: string;
  readonly form: string;
  readonly slot: string;
}

export class SecretSearch {
  readonly #filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  readonly #pieces = new Map<number, Piece[]>();

  /** The same secret may be given more than once. */
  constructor(secrets: Iterable<Secret>) {
    for (const { slot, bytes } of secrets) {
      for (const { form, piece: text } of piecesOf(bytes)) {
        let hash = 0;
        for (let at = 0; at < PIECE; at += 1) hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
        const same = this.#pieces.get(hash);
        if (!same) this.#pieces.set(hash, [{ text, form, slot }]);
        else if (!same.some((each) => each.text === text)) same.push({ text, form, slot });
        const bit = hash >>> (32 - FILTER_BITS);
        this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      }
    }
  }

  /** What stands in the text, each slot and form once. */
  in(output: string): readonly Found[] {
    const text = withoutSpaces(output);
    const filter = this.#filter;
    const found = new Map<string, Found>();
    let hash = 0;
    for (let end = 0; end < text.length; end += 1) {
      hash = (Math.imul(hash, BASE) + text.charCodeAt(end)) | 0;
      if (end >= PIECE) hash = (hash - Math.imul(LEAVING, text.charCodeAt(end - PIECE))) | 0;
      const bit = hash >>> (32 - FILTER_BITS);
      if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
      for (const { text: piece, slot, form } of this.#pieces.get(hash) ?? []) {
        if (text.startsWith(piece, end - PIECE + 1)) found.set(`${slot} ${form}`, { slot, form });
      }
    }
    return [...found.values()];
  }
}
