import { styleText } from 'node:util';
import { PAIRING_CODE_SECONDS } from '@thingstead/contracts/pairing';
import { renderUnicodeCompact } from 'uqr';
import { pairingContent } from './pairing-content.ts';

export interface PairingTextOptions {
  readonly thing: string;
  /** As a person reads it, `ACDE-F346`. */
  readonly code: string;
  /** Epoch milliseconds, like `now`. */
  readonly expiresAt: number;
  readonly now: number;
  readonly url: string | undefined;
  /** The terminal takes colours. */
  readonly colours: boolean;
}

/** A code for a person before a terminal: large, with its end, and as a QR code. */
export function pairingText({ thing, code, expiresAt, now, url, colours }: PairingTextOptions): string {
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  const large = style(['bold', 'inverse'], `   ${code.split('').join(' ')}   `);
  // The device's own clock may not be right.
  const minutes = Math.min(PAIRING_CODE_SECONDS / 60, Math.max(1, Math.round((expiresAt - now) / 60_000)));
  const end = new Date(expiresAt).toLocaleTimeString('en-GB');
  // Light on dark, whatever the terminal's colours are: not every reader takes it the other way round.
  const qr = renderUnicodeCompact(pairingContent(code, url), { border: 2 })
    .split('\n')
    .map((line) => `    ${style(['whiteBright', 'bgBlack'], line)}`);
  return [
    `Pairing code of ${style('bold', thing)}:`,
    `    ${large}`,
    `Type it into the app, or scan it, until ${end} (${minutes} min). It works once; a newer one takes its place.`,
    qr.join('\n'),
    '',
  ].join('\n\n');
}
