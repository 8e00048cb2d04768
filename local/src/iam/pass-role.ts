import type { Permission } from '../kernel/service.ts';

/**
 * The permission to hand a role to a service, needed by every operation that takes a role ARN
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html). `service` is the service principal,
 * `lambda.amazonaws.com`.
 */
export function passRolePermission(roleArn: string, service: string): Permission {
  return { action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': service } };
}
