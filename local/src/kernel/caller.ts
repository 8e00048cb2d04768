/**
 * Who calls an operation.
 *
 * - `user`: an IAM user with access keys, here the operator;
 * - `role`: a session of a role: a Lambda function, a rule action, an event source;
 * - `service`: an AWS service acting by itself (`iot.amazonaws.com` invoking a function): only the resource's own
 *   policy decides;
 * - `federated`: somebody whom another provider vouches for; they only take roles whose trust policy names the provider;
 * - `deployment`: CloudFormation creating the template's resources, with the rights of an administrator.
 */
export type Caller =
  | { readonly kind: 'user'; readonly arn: string; readonly accountId: string; readonly userName: string }
  | {
      readonly kind: 'role';
      /** `arn:aws:sts::<account>:assumed-role/<role>/<session>` */
      readonly arn: string;
      readonly accountId: string;
      readonly roleArn: string;
      readonly roleName: string;
      readonly sessionName: string;
      /** Condition keys that come with the session, in lower case: `credentials-iot:thingname`. */
      readonly sessionKeys?: Readonly<Record<string, string | readonly string[]>>;
    }
  | {
      readonly kind: 'service';
      /** The service principal, `iot.amazonaws.com`. */
      readonly arn: string;
      readonly accountId: string;
      /** What the service acts for: the values of `aws:SourceArn` and `aws:SourceAccount`. */
      readonly sourceArn: string;
    }
  | {
      readonly kind: 'federated';
      /** As trust policies name it: `cognito-identity.amazonaws.com`. */
      readonly arn: string;
      readonly accountId: string;
    }
  | { readonly kind: 'deployment'; readonly arn: string; readonly accountId: string };
