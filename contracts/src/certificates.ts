/** A device renews its certificate, on `device/{thing}/register/certificate/v1`, or over HTTPS once it has expired. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Pem = v.pipe(v.string(), v.maxLength(16 * 1024));

/** What a device says. Each may be sent again: the same request gets the same certificate. */
export const CertificateRequest = v.variant('type', [
  /**
   * A PKCS#10 request for a new key of the device; its common name is the thing's name. Without one: a new certificate for the key
   * of the connection, for keys that cannot leave their token. TLS has proven that the device has it.
   */
  v.object({ type: v.literal('renew'), csr: v.optional(Pem) }),
  /** Over a connection with the new certificate: it works, the old one may go. */
  v.object({ type: v.literal('confirm') }),
]);
export type CertificateRequest = v.InferOutput<typeof CertificateRequest>;

/** `.../accepted` */
export const CertificateAnswer = v.variant('type', [
  v.object({ type: v.literal('renew'), certificate: Pem }),
  /** The old certificates are retired. */
  v.object({ type: v.literal('confirm') }),
]);
export type CertificateAnswer = v.InferOutput<typeof CertificateAnswer>;

/** `.../rejected`. `pending`: an operator signs it; ask again later. */
export const CertificateRejection = v.object({
  type: v.string(),
  code: v.picklist(['invalid', 'not-due', 'pending', 'refused', 'not-the-new-one', 'busy']),
  reason: v.string(),
  retry: v.boolean(),
});
export type CertificateRejection = v.InferOutput<typeof CertificateRejection>;

/** `.../wanted`, retained: an operator wants a new certificate in place of any that was issued before. */
export const CertificateWanted = v.object({ at: EpochMilliseconds });
export type CertificateWanted = v.InferOutput<typeof CertificateWanted>;

/** What the rule hands to the function. */
export const CertificateEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  /** `principal()`: the id of the certificate with which the device is connected. */
  certificateId: v.string(),
  at: EpochMilliseconds,
  /** The message as it came, in base64. */
  payload: v.string(),
});
export type CertificateEvent = v.InferOutput<typeof CertificateEvent>;

/** What a device sends over HTTPS whose certificate has expired, so that it cannot connect. */
export const RenewalRequest = v.strictObject({
  /** The certificate that the thing had last. */
  certificate: Pem,
  /** PKCS#10. Without one: a new certificate for the key of `certificate`, which the signature proves. */
  csr: v.optional(Pem),
  /** By the device's clock. */
  at: EpochMilliseconds,
  /** Over `renewalProof`, with the key of that certificate: SHA-256, for ECDSA in DER, for RSA PKCS #1 v1.5. In base64. */
  signature: v.pipe(v.string(), v.maxLength(1024), v.base64('is no base64')),
});
export type RenewalRequest = v.InferOutput<typeof RenewalRequest>;

/** What is signed: the words before it keep the signature from being taken for anything else. */
export function renewalProof({ certificate, csr, at }: Omit<RenewalRequest, 'signature'>): string {
  return `thingstead certificate-renewal\n${at}\n${certificate}\n${csr ?? 'for the same key'}`;
}
