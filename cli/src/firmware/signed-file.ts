/** Signed documents in files, which go from one who signs to the next one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { FirmwareManifest, FirmwareTrust, SignedDocument } from '@thingstead/contracts/firmware';
import { validate } from '@thingstead/contracts/validate';
import { readStrictJson } from '@thingstead/crypto/strict-json';
import { CommandError } from '../command-error.ts';

export interface DocumentFile {
  readonly signed: SignedDocument;
  /** Whose signatures are not verified here: the platform does that, and every device. */
  readonly content: FirmwareManifest | FirmwareTrust;
}

/** Reads one. @throws CommandError (usage) when it is no release and no trust document */
export function readSignedFile(file: string): DocumentFile {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CommandError('usage', `${file} is no signed document.`, { cause });
  }
  const signed = validate(SignedDocument, json);
  if (!signed.ok) throw new CommandError('usage', `${file} is no signed document.`, { causes: [signed.reason] });
  return { signed: signed.value, content: contentOf(signed.value, file) };
}

/** What was signed. @throws CommandError (usage) */
export function contentOf({ document }: SignedDocument, name: string): FirmwareManifest | FirmwareTrust {
  const json = readStrictJson(Buffer.from(document, 'base64'));
  const type = typeof json === 'object' && json !== null && 'type' in json ? json.type : undefined;
  const read = validate(type === 'trust' ? FirmwareTrust : FirmwareManifest, json);
  if (!read.ok)
    throw new CommandError('usage', `${name} is no release and no trust document.`, { causes: [read.reason] });
  return read.value;
}

/** A trust document in a file. @throws CommandError (usage) */
export function readTrustFile(file: string): { readonly signed: SignedDocument; readonly content: FirmwareTrust } {
  const { signed, content } = readSignedFile(file);
  if (content.type !== 'trust') throw new CommandError('usage', `${file} is a release and no trust document.`);
  return { signed, content };
}

/** A release in a file. @throws CommandError (usage) */
export function readReleaseFile(file: string): { readonly signed: SignedDocument; readonly content: FirmwareManifest } {
  const { signed, content } = readSignedFile(file);
  if (content.type !== 'firmware') throw new CommandError('usage', `${file} is a trust document and no release.`);
  return { signed, content };
}

export function writeSignedFile(file: string, signed: SignedDocument): void {
  writeFileSync(file, `${JSON.stringify(signed, null, 2)}\n`);
}
