import type { ActionKind } from './rule-action.ts';

const CANNED_ACLS = [
  'private',
  'public-read',
  'public-read-write',
  'aws-exec-read',
  'authenticated-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
] as const;

/** Writes an object (https://docs.aws.amazon.com/iot/latest/developerguide/s3-rule-action.html). */
export const s3Action: ActionKind = {
  failedAction: 'S3Action',
  actionType: 'S3',
  failure: 'Failed to put S3 object',
  compile(parameters) {
    const key = parameters.template('key');
    const acl = parameters.word('cannedAcl', CANNED_ACLS);
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('bucketName'),
      async run(invocation, bucket) {
        const object = { Bucket: bucket, Key: await key(invocation), Body: invocation.payload.bytes };
        return invocation.call('s3', 'PutObject', { ...object, ...(acl && { ACL: acl }) });
      },
    };
  },
};
