import { CODE_PLACE } from './pairing-config.ts';

/** What a QR code holds: `pairing.url` with the code in it, or the code alone. */
export function pairingContent(code: string, url: string = CODE_PLACE): string {
  return url.replaceAll(CODE_PLACE, code);
}
