/** A new key of the device, and the request for its certificate. */
export interface NewKey {
  /** PKCS #8, in PEM. */
  readonly key: string;
  /** PKCS#10, in PEM. */
  readonly csr: string;
}

/** Makes a key on P-256; the request is signed with it and names the thing (RFC 2986). */
export async function newKey(thing: string): Promise<NewKey> {
  // Loaded only now: a device needs them once a year.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { webcrypto } = await import('node:crypto');
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [thing] }],
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`,
    csr: request.toString('pem'),
  };
}
