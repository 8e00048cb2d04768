import type {
  CORSRule,
  DeleteBucketCorsCommandInput,
  GetBucketCorsCommandInput,
  GetBucketCorsCommandOutput,
  PutBucketCorsCommandInput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Buckets } from '../buckets.ts';

const MAX_RULES = 100;
const METHODS = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE'];

/** The operations on the CORS configuration of a bucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html */
export function bucketCors(buckets: Buckets): Readonly<Record<string, AnyOperation>> {
  return {
    PutBucketCors: operation<PutBucketCorsCommandInput, object>({
      permissions: ({ Bucket }) => [buckets.permission('PutBucketCORS', Bucket)],
      run({ Bucket, CORSConfiguration }) {
        buckets.get(Bucket).settings.cors = checked(CORSConfiguration?.CORSRules ?? []);
        return {};
      },
    }),
    GetBucketCors: operation<GetBucketCorsCommandInput, Pick<GetBucketCorsCommandOutput, 'CORSRules'>>({
      permissions: ({ Bucket }) => [buckets.permission('GetBucketCORS', Bucket)],
      run({ Bucket }) {
        const { cors } = buckets.get(Bucket).settings;
        if (cors.length > 0) return { CORSRules: [...cors] };
        throw new AwsError('NoSuchCORSConfiguration', 'The CORS configuration does not exist', 404, {
          BucketName: Bucket,
        });
      },
    }),
    DeleteBucketCors: operation<DeleteBucketCorsCommandInput, object>({
      permissions: ({ Bucket }) => [buckets.permission('PutBucketCORS', Bucket)],
      run({ Bucket }) {
        buckets.get(Bucket).settings.cors = [];
        return {};
      },
    }),
  };
}

/** @throws AwsError MalformedXML, InvalidRequest */
function checked(rules: readonly CORSRule[]): readonly CORSRule[] {
  if (rules.length === 0 || rules.length > MAX_RULES) throw malformed(`there are ${rules.length} rules`);
  return rules.map((rule) => {
    const { AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [], MaxAgeSeconds } = rule;
    if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformed('a rule needs method and origin');
    const unknown = AllowedMethods.find((each) => !METHODS.includes(each));
    if (unknown !== undefined) {
      throw new AwsError(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
      );
    }
    const twice = [...AllowedOrigins, ...AllowedHeaders].find((each) => each.split('*').length > 2);
    if (twice !== undefined) {
      throw new AwsError('InvalidRequest', `"${twice}" can not have more than one wildcard.`);
    }
    // In XML a number is text.
    return MaxAgeSeconds === undefined ? rule : { ...rule, MaxAgeSeconds: Number(MaxAgeSeconds) };
  });
}

function malformed(reason: string): AwsError {
  return new AwsError(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema: ${reason}`,
  );
}
