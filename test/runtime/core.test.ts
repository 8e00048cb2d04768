/** The runtime as a process, and its AWS endpoint as clients of AWS see it. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.stop());

describe('the AWS endpoint', () => {
  it('answers an unmodified client that signs with the operator keys', async () => {
    const sts = new STSClient(runtime.config);

    const identity = await sts.send(new GetCallerIdentityCommand({}));

    expect(identity.Arn).toBe('arn:aws:iam::123456789012:user/operator');
    expect(identity.Account).toBe('123456789012');
  });
});
