import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import type { LocalIam } from '../../../iam/local-iam.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, "Role chaining": whatever the role allows. */
const CHAINED_SECONDS = 3600;

/**
 * A session of a role. The trust policy decides, with the caller's own policies where it names only the account
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
 */
export function assumeRole(iam: LocalIam): AnyOperation {
  return operation<AssumeRoleCommandInput, Omit<AssumeRoleCommandOutput, '$metadata'>>({
    // The trust policy is evaluated by `iam.assumeRole`, together with the identity policies.
    permissions: () => [],
    run: (input, { caller }) => {
      const { RoleArn, RoleSessionName, DurationSeconds = 3600 } = input;
      if (!RoleArn) throw invalid('RoleArn is missing', 'ValidationError');
      if (!RoleSessionName || !/^[\w+=,.@-]{2,64}$/.test(RoleSessionName)) {
        throw invalid('RoleSessionName must be 2 to 64 characters of [\\w+=,.@-]', 'ValidationError');
      }
      for (const name of [
        'Policy',
        'PolicyArns',
        'Tags',
        'TransitiveTagKeys',
        'SerialNumber',
        'ExternalId',
        'SourceIdentity',
      ] as const) {
        if (input[name] !== undefined) {
          throw new AwsError('NotEmulated', `The local runtime does not emulate ${name} of sts:AssumeRole.`, 501);
        }
      }
      const role = existingRole(iam, RoleArn, caller.arn);
      if (DurationSeconds < 900 || DurationSeconds > role.maxSessionSeconds) {
        throw invalid(
          `DurationSeconds must be from 900 to ${role.maxSessionSeconds}, the role's MaxSessionDuration`,
          'ValidationError',
        );
      }
      if (caller.kind === 'role' && DurationSeconds > CHAINED_SECONDS) {
        throw invalid(
          'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
          'ValidationError',
        );
      }
      const session = iam.assumeRole(RoleArn, caller, RoleSessionName);
      const credentials = iam.issueCredentials(session, DurationSeconds);
      return {
        AssumedRoleUser: { Arn: session.arn, AssumedRoleId: `${role.id}:${RoleSessionName}` },
        Credentials: {
          AccessKeyId: credentials.accessKeyId,
          SecretAccessKey: credentials.secretAccessKey,
          SessionToken: credentials.sessionToken,
          Expiration: new Date(credentials.expiresAt),
        },
      };
    },
  });
}

/** STS does not tell whether a role exists: an unknown one is a denial. */
function existingRole(iam: LocalIam, roleArn: string, callerArn: string) {
  try {
    return iam.store.roleByArn(roleArn);
  } catch {
    throw new AwsError(
      'AccessDenied',
      `User: ${callerArn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      403,
    );
  }
}
