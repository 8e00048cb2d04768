/** AWS KMS in its own protocol. */
import { type AwsJson, awsJsonClient, type Credentials } from './aws-json.ts';
import type { Runtime } from './runtime.ts';

/** Calls KMS with these credentials. */
export function kmsClient(runtime: Runtime, credentials?: Credentials): AwsJson {
  return awsJsonClient(runtime, { service: 'kms', prefix: 'TrentService', version: '1.1' }, credentials);
}

/** Base64 text of an answer as bytes. */
export function bytes(value: unknown): Buffer {
  return Buffer.from(String(value), 'base64');
}
