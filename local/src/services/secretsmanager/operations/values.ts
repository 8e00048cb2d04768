import { randomUUID } from 'node:crypto';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { type PasswordOptions, randomPassword } from '../random-password.ts';
import type { Secrets } from '../secrets.ts';
import { useKey } from './use-key.ts';

interface GetInput {
  readonly SecretId?: string;
  readonly VersionId?: string;
  readonly VersionStage?: string;
}

interface PutInput {
  readonly SecretId?: string;
  readonly ClientRequestToken?: string;
  readonly SecretString?: string;
  readonly SecretBinary?: Buffer;
  readonly VersionStages?: readonly string[];
}

/** What secrets hold: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export function valueOperations(secrets: Secrets): Readonly<Record<string, AnyOperation>> {
  const { kernel } = secrets;
  return {
    GetSecretValue: operation<GetInput, object>({
      permissions: ({ SecretId }) => secrets.permission('GetSecretValue', SecretId),
      async run({ SecretId, VersionId, VersionStage }, context) {
        const secret = secrets.usable(SecretId);
        const version = secrets.version(secret, VersionId, VersionStage);
        await useKey(secrets, secret, version.id, 'Decrypt', context);
        secret.accessedAt = kernel.clock.now();
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId: version.id,
          SecretString: version.text,
          SecretBinary: version.bytes,
          VersionStages: [...version.stages],
          CreatedDate: new Date(version.createdAt),
        };
      },
    }),
    PutSecretValue: operation<PutInput, object>({
      permissions: ({ SecretId }) => secrets.permission('PutSecretValue', SecretId),
      async run({ SecretId, ClientRequestToken, SecretString, SecretBinary, VersionStages }, context) {
        const secret = secrets.usable(SecretId);
        const id = ClientRequestToken ?? randomUUID();
        await useKey(secrets, secret, id, 'GenerateDataKey', context);
        const version = secrets.put(secret, { text: SecretString, bytes: SecretBinary }, id, VersionStages);
        return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: [...version.stages] };
      },
    }),
    GetRandomPassword: operation<PasswordOptions, object>({
      permissions: () => [{ action: 'secretsmanager:GetRandomPassword', resource: '*' }],
      run: (input) => ({ RandomPassword: randomPassword(input) }),
    }),
  };
}
