import { generateKeyPair, type KeyObject, randomBytes, sign, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';

const RSA_BITS = 2048;
const DAY_MS = 86_400_000;
/** `1` is the default of a topic, `2` the other choice (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). */
const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' };

/** The members of a document that its signature covers, in their order; absent ones are left out. */
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** Signs the documents that SNS delivers. The key is made when it is first needed, and lives as long as the account. */
export class MessageSigner {
  /** Where the certificate is served at the AWS endpoint. */
  readonly path = `/SimpleNotificationService-${randomBytes(16).toString('hex')}.pem`;
  #keys: Promise<Keys> | undefined;
  #certificate: Promise<string> | undefined;

  /** Base64. `version` is the SignatureVersion, 1 or 2. */
  async sign(document: Readonly<Record<string, unknown>>, version: string): Promise<string> {
    const members = SIGNED[String(document.Type)] ?? [];
    const text = members
      .filter((name) => document[name] !== undefined)
      .map((name) => `${name}\n${document[name]}\n`)
      .join('');
    const { privateKey } = await this.#keyPair();
    return sign(ALGORITHMS[version] ?? 'RSA-SHA1', Buffer.from(text), privateKey).toString('base64');
  }

  /** The certificate in PEM form. `now` is the time at which it becomes valid if it is new, epoch milliseconds. */
  certificate(now: number): Promise<string> {
    this.#certificate ??= this.#certify(now);
    return this.#certificate;
  }

  #keyPair(): Promise<Keys> {
    this.#keys ??= promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
    return this.#keys;
  }

  async #certify(now: number): Promise<string> {
    // Loaded only when somebody verifies: it costs 20 MB and a tenth of a second.
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    // The Web Crypto types of Node.js and of the DOM library, which x509 is declared with, differ in name only.
    x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
    const { privateKey, publicKey } = await this.#keyPair();
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const imported = async (key: KeyObject, format: 'pkcs8' | 'spki', use: 'sign' | 'verify') => {
      const der = key.export({ format: 'der', type: format } as { format: 'der'; type: 'pkcs8' });
      return webcrypto.subtle.importKey(format, der, algorithm, true, [use]);
    };
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      name: 'CN=sns.amazonaws.com',
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + 365 * DAY_MS),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await imported(privateKey, 'pkcs8', 'sign'),
        publicKey: await imported(publicKey, 'spki', 'verify'),
      },
    });
    return `${certificate.toString('pem')}\n`;
  }
}
