import { createHash, verify, X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { TokenKey } from '../identity.ts';
import { isPinRefused } from '../refused-pin.ts';
import { runProgram } from '../run-program.ts';

/** Where the tool finds the PIN: everybody on the machine can read a command line. */
const PIN_VARIABLE = 'THINGSTEAD_PKCS11_PIN';
/** Tokens are slow; a TPM that was just started may take seconds. */
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 256 * 1024;
/** What stands before a SHA-256 digest that RSA signs (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/**
 * Signs with a key that is in a PKCS#11 token, outside TLS, through OpenSC's `pkcs11-tool`: the device SDK uses such a key for TLS only. The tool signs a
 * digest, by the mechanisms that TLS uses, so a token with which the agent connects can do it.
 */
export class TokenSigner {
  readonly #clock: Clock;
  readonly #environment: NodeJS.ProcessEnv;
  #refusedPin: Error | undefined;

  /** @param environment of the agent: PKCS#11 libraries are told by it where their tokens are. */
  constructor(clock: Clock, environment: NodeJS.ProcessEnv) {
    this.#clock = clock;
    this.#environment = environment;
  }

  /**
   * @param certificate PEM, of the key.
   * @returns the signature over the SHA-256 of the data: for ECDSA in DER, for RSA PKCS #1 v1.5.
   * @throws (rejects) Error: the tool is not there, the token refuses, the key is another one. After a PIN that is refused no other attempt is made, since tokens
   * count them and lock themselves.
   */
  async sign(data: Buffer, certificate: string, key: TokenKey, signal: AbortSignal): Promise<Buffer> {
    if (this.#refusedPin) throw this.#refusedPin;
    const { publicKey } = new X509Certificate(certificate);
    const digest = createHash('sha256').update(data).digest();
    const isRsa = publicKey.asymmetricKeyType === 'rsa';
    const id = keyId((await this.#run(key, ['--list-objects', '--type', 'privkey'], signal)).toString(), key);
    const mechanism = isRsa ? ['RSA-PKCS'] : ['ECDSA', '--signature-format', 'openssl'];
    const input = isRsa ? Buffer.concat([DIGEST_INFO, digest]) : digest;
    const signature = await this.#run(key, ['--sign', '--id', id, '--mechanism', ...mechanism], signal, input);
    if (!verify('sha256', data, publicKey, signature)) {
      throw new Error('the key in the token is not the one of the certificate');
    }
    return signature;
  }

  async #run(key: TokenKey, args: readonly string[], signal: AbortSignal, input?: Buffer): Promise<Buffer> {
    const { tool, library, tokenLabel, slot, pin } = key;
    const token = [
      ...(tokenLabel === undefined ? [] : ['--token-label', tokenLabel]),
      ...(slot === undefined ? [] : ['--slot', String(slot)]),
    ];
    const environment = Object.entries({ ...this.#environment, [PIN_VARIABLE]: pin });
    try {
      return await runProgram({
        command: [tool, '--module', library, ...token, '--login', '--pin', `env:${PIN_VARIABLE}`, ...args],
        ...(input !== undefined && { input }),
        environment: Object.fromEntries(environment.filter((each): each is [string, string] => each[1] !== undefined)),
        ...{ timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, excess: 'kill', clock: this.#clock, signal },
      });
    } catch (cause) {
      const reason = messageOf(cause);
      if (!isPinRefused(reason)) throw cause;
      this.#refusedPin = new Error(`the token refuses the PIN; it is not tried again before the next start: ${reason}`);
      throw this.#refusedPin;
    }
  }
}

/** The tool takes a key by its id, not by its label. @param listing of `--list-objects --type privkey`. */
function keyId(listing: string, { keyLabel }: TokenKey): string {
  const objects = listing.split(/^(?=Private Key Object)/m).filter((each) => each.startsWith('Private Key Object'));
  const found = objects.filter((each) => keyLabel === undefined || field(each, 'label') === keyLabel);
  const [only] = found;
  const named = keyLabel === undefined ? '' : ` with keyLabel "${keyLabel}"`;
  if (only === undefined || found.length > 1) {
    throw new Error(`the token holds ${found.length} private keys${named}; one is needed`);
  }
  const id = field(only, 'ID');
  if (id === undefined) throw new Error(`the private key${named} has no id, by which pkcs11-tool could use it`);
  return id;
}

function field(object: string, name: string): string | undefined {
  return new RegExp(`^ +${name}: +(.*)$`, 'm').exec(object)?.[1];
}
