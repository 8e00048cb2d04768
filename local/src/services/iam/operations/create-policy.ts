import type { CreatePolicyCommandInput, CreatePolicyCommandOutput } from '@aws-sdk/client-iam';
import { randomText } from '../../../iam/credential-store.ts';
import { compiledPolicy } from '../../../iam/iam-store.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { describePolicy, type IamContext, parseDocument, required } from '../iam-context.ts';

/** Characters without white space (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
const LARGEST_MANAGED = 6144;

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
export function createPolicy({ store, now }: IamContext): AnyOperation {
  const arnOf = ({ PolicyName, Path = '/' }: CreatePolicyCommandInput) =>
    `arn:aws:iam::${store.accountId}:policy${Path}${PolicyName}`;
  return operation<CreatePolicyCommandInput, Omit<CreatePolicyCommandOutput, '$metadata'>>({
    permissions: (input) => [{ action: 'iam:CreatePolicy', resource: arnOf(input) }],
    run: (input) => {
      const name = required(input.PolicyName, 'PolicyName');
      if (!/^[\w+=,.@-]{1,128}$/.test(name)) {
        throw invalid(`PolicyName ${name} must be 1 to 128 characters of [\\w+=,.@-]`, 'ValidationError');
      }
      const policy = compiledPolicy(parseDocument(input.PolicyDocument, 'PolicyDocument'), 'identity');
      if (JSON.stringify(policy.document).length > LARGEST_MANAGED) {
        throw new AwsError('LimitExceeded', `Cannot exceed quota for PolicySize: ${LARGEST_MANAGED}`, 409);
      }
      const arn = arnOf(input);
      if (store.customerPolicies.some((each) => each.name === name)) {
        throw new AwsError(
          'EntityAlreadyExists',
          `A policy called ${name} already exists. Duplicate names are not allowed.`,
          409,
        );
      }
      const managed = {
        ...policy,
        name,
        arn,
        path: input.Path ?? '/',
        id: `ANPA${randomText(17)}`,
        description: input.Description,
        createdAt: now(),
      };
      store.addManaged(managed);
      return { Policy: describePolicy(store, managed) };
    },
  });
}
