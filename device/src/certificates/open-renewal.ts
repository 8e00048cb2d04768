/** Composes the renewal of certificates as the configuration has it. */
import { createPrivateKey, sign } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AgentConfig } from '../config.ts';
import { certificateStore, type Identity, loadFactoryIdentity } from '../identity.ts';
import type { Log } from '../log.ts';
import type { Connect } from '../session.ts';
import { CertificateRenewal } from './certificate-renewal.ts';
import { Identities } from './identities.ts';
import { newKey } from './new-key.ts';
import { renewOverHttps, type SignProof } from './renewal-over-https.ts';
import { TokenSigner } from './token-signer.ts';

export interface OpenRenewalOptions {
  readonly config: AgentConfig;
  /** With what the device connects now. */
  readonly present: Identity;
  readonly connectWith: (identity: Identity) => Connect;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ConfigurationError */
export function openRenewal({ config, present, connectWith, clock, log }: OpenRenewalOptions): CertificateRenewal {
  const { thing, renewal } = config;
  const { url, beforeDays } = renewal;
  const token = new TokenSigner(clock, process.env);
  const signProof: SignProof = async (proof, { certificate, key }, signal) =>
    key.kind === 'file'
      ? sign('sha256', proof, createPrivateKey(key.pem))
      : token.sign(proof, certificate, key, signal);
  return new CertificateRenewal({
    ...{ thing, connectWith, beforeDays, newKey, clock, log },
    identities: new Identities(thing, loadFactoryIdentity(config), present, certificateStore(config)),
    recover: url === undefined ? undefined : (expired, signal) => renewOverHttps(url, expired, signProof, signal),
  });
}
