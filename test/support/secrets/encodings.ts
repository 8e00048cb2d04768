/** The forms in which a secret can stand in a text. */

/** A found piece is so long. */
export const PIECE = 16;
/** A piece begins at every eighth character, so that 23 characters of a secret in a row are enough to find it. */
const STEP = 8;
/** Of long secrets the beginning is looked for. */
const LONGEST = 64;
const IN_ADDRESS = 'URL-encoded';

/**
 * Line breaks, spaces and the backslashes of escapes are taken away before anything is compared: keys in PEM, hex dumps
 * and JSON in JSON are then found as they are.
 */
export function withoutSpaces(text: string): string {
  return text.replace(/\s+|\\+[nrt]?/g, '');
}

/** Pieces of a secret in each form, by the name of the form. */
export function* piecesOf(secret: Buffer): Generator<{ readonly form: string; readonly piece: string }> {
  for (const [form, text] of formsOf(secret.subarray(0, LONGEST))) {
    const plain = withoutSpaces(text);
    for (let at = 0; at + PIECE <= plain.length; at += STEP) {
      const piece = plain.slice(at, at + PIECE);
      // Without an escape it is the same as in the form that is not encoded.
      if (!form.endsWith(IN_ADDRESS) || piece.includes('%')) yield { form, piece };
    }
  }
}

function* formsOf(secret: Buffer): Generator<readonly [string, string]> {
  const plain = secret.toString('latin1');
  yield ['as it is', plain];
  yield ['hex', secret.toString('hex')];
  yield ['HEX', secret.toString('hex').toUpperCase()];
  yield ['bytes as numbers', secret.join(',')];
  if (/^[\x20-\x7e]+$/.test(plain)) yield* inAddress(plain, IN_ADDRESS);
  for (const text of base64Forms(secret)) {
    yield ['base64', text];
    yield ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')];
    yield* inAddress(text, `base64, ${IN_ADDRESS}`);
    for (const twice of base64Forms(Buffer.from(text))) yield ['base64 of base64', twice];
  }
}

function* inAddress(text: string, form: string): Generator<readonly [string, string]> {
  const encoded = encodeURIComponent(text);
  if (encoded === text) return;
  yield [form, encoded];
  yield [form, encoded.replace(/%[0-9A-F]{2}/g, (each) => each.toLowerCase())];
}

/** What base64 looks like when the secret begins at the first, second or third byte of a group, without its edges. */
function base64Forms(secret: Buffer): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), secret]).toString('base64');
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + secret.length) * 8) / 6));
  });
}
