/** Types that templates of the CDK contain without their author having written them, and what to write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  'AWS::ApiGatewayV2::ApiMapping': 'there are no custom domain names on this machine; ApiEndpoint is where an API is',
  'AWS::ApiGatewayV2::DomainName': 'there are no custom domain names on this machine; ApiEndpoint is where an API is',
  'Custom::S3BucketNotifications':
    'addEventNotification makes it; declare the notifications in NotificationConfiguration of the CfnBucket, or set eventBridgeEnabled and write a rule',
  'Custom::S3AutoDeleteObjects': 'autoDeleteObjects makes it; buckets go with the runtime, leave it out',
};

/** Why a resource of this type is refused. */
export function unknownType(type: string): string {
  const refusal = `the runtime does not emulate the type ${type}`;
  const instead = Object.hasOwn(INSTEAD, type) ? INSTEAD[type] : undefined;
  return instead === undefined ? refusal : `${refusal}: ${instead}`;
}
