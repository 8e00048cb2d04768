import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';

/** Lets a role do these actions on this resource, and nothing besides: CDK's own grants give more than is used. */
export function allow(role: Role, actions: string | readonly string[], resource: string | readonly string[]): void {
  role.addToPolicy(new PolicyStatement({ actions: [actions].flat(), resources: [resource].flat() }));
}
