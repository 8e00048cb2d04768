/** Notes every private key that this process generates, through Web Crypto or the older functions. */
import crypto, { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import { noteSecret } from './notes.ts';

/** The members of a private JWK that are secret: of RSA the exponent and the primes, of elliptic curves the scalar. */
const SECRET_MEMBERS = ['d', 'p', 'q'] as const;

function noteKey(key: unknown): void {
  if (key instanceof Uint8Array || typeof key === 'string') {
    noteKey(createPrivateKey(typeof key === 'string' ? key : { key: Buffer.from(key), format: 'der', type: 'pkcs8' }));
    return;
  }
  if (!(key instanceof KeyObject) || key.type !== 'private') return;
  const jwk = key.export({ format: 'jwk' });
  for (const member of SECRET_MEMBERS) {
    const value = jwk[member];
    if (typeof value === 'string') noteSecret('private key', Buffer.from(value, 'base64url'));
  }
}

/** Wraps the functions that make key pairs. What they give stays the same. */
export function notePrivateKeys(): void {
  const subtle = Object.getPrototypeOf(webcrypto.subtle);
  const generateKey = subtle.generateKey;
  subtle.generateKey = async function generateAndNote(this: webcrypto.SubtleCrypto, ...args: readonly unknown[]) {
    const made = await generateKey.apply(this, args);
    // What cannot be exported cannot be written anywhere.
    if (made.privateKey?.extractable) noteKey(KeyObject.from(made.privateKey));
    return made;
  };
  const { generateKeyPair, generateKeyPairSync } = crypto;
  const generateBoth = promisify(generateKeyPair) as (...args: readonly unknown[]) => Promise<{ privateKey: unknown }>;
  const functions = {
    generateKeyPairSync(...args: readonly unknown[]) {
      const made = Reflect.apply(generateKeyPairSync, crypto, args);
      noteKey(made.privateKey);
      return made;
    },
    generateKeyPair: Object.assign(
      (...args: readonly unknown[]) => {
        const done = args.at(-1) as (error: unknown, publicKey?: unknown, privateKey?: unknown) => void;
        const noteAndAnswer: typeof done = (error, publicKey, privateKey) => {
          if (!error) noteKey(privateKey);
          done(error, publicKey, privateKey);
        };
        Reflect.apply(generateKeyPair, crypto, [...args.slice(0, -1), noteAndAnswer]);
      },
      {
        [promisify.custom]: async (...args: readonly unknown[]) => {
          const made = await generateBoth(...args);
          noteKey(made.privateKey);
          return made;
        },
      },
    ),
  };
  Object.assign(crypto, functions);
  syncBuiltinESMExports();
}
