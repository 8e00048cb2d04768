/** The encryption context: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html. */
import { invalid } from '../../kernel/errors.ts';

export type EncryptionContext = Readonly<Record<string, string>>;

/** "the maximum length of an encryption context": of the serialized form that is authenticated. */
const MAX_BYTES = 8192;

/** @throws AwsError ValidationException when a value is no text or the whole is too long */
export function checkEncryptionContext(given: unknown): EncryptionContext {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object' || Object.values(given).some((value) => typeof value !== 'string')) {
    throw invalid('EncryptionContext is a map of text to text.');
  }
  // Checked just above.
  const context = given as EncryptionContext;
  if (authenticatedData(context).length > MAX_BYTES) {
    throw invalid(`EncryptionContext is longer than ${MAX_BYTES} bytes.`);
  }
  return context;
}

function part(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The context as bytes: the same for the same pairs in any order, different for any others. */
export function authenticatedData(context: EncryptionContext): Buffer {
  const names = Object.keys(context).sort();
  return Buffer.concat(names.flatMap((name) => [part(name), part(context[name] ?? '')]));
}

/** The condition keys that a request with this context has. */
export function contextConditionKeys(context: EncryptionContext): Readonly<Record<string, string | readonly string[]>> {
  const names = Object.keys(context);
  if (names.length === 0) return {};
  return {
    ...Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, context[name] ?? ''])),
    'kms:EncryptionContextKeys': names,
  };
}
