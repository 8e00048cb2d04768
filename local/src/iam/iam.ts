import type { Caller } from '../kernel/caller.ts';
import type { CallContext, Permission } from '../kernel/service.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Empty for the long-term keys of a user. */
  readonly sessionToken: string;
  /** Epoch milliseconds, virtual time; Infinity for long-term keys. */
  readonly expiresAt: number;
}

/** What the rest of the runtime asks of IAM and STS. */
export interface Iam {
  /**
   * Checks one permission: identity policies of the caller, the resource's own policy, explicit denials.
   *
   * @throws AwsError AccessDeniedException "User: <arn> is not authorized to perform: <action> on resource: <resource>
   *   because no identity-based policy allows the <action> action" (403)
   */
  authorize(context: CallContext, permission: Permission): void;

  /**
   * A session of a role for a service that acts with it (Lambda, a rule action, Firehose). The role's trust policy must
   * name the service and its conditions must hold.
   *
   * @throws AwsError AccessDenied when the trust policy does not allow it, NoSuchEntity when there is no such role
   */
  assumeRole(roleArn: string, by: Caller, sessionName: string): Caller;

  /** Temporary credentials for a role session, to hand to code that signs requests itself. */
  issueCredentials(session: Caller, durationSeconds: number): Credentials;

  /** Whose access key this is, with the secret to verify a signature; undefined when unknown or expired. */
  findCredentials(accessKeyId: string): { readonly caller: Caller; readonly credentials: Credentials } | undefined;
}
