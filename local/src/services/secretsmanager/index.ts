import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { secretOperations } from './operations/secrets.ts';
import { valueOperations } from './operations/values.ts';
import { Secrets } from './secrets.ts';

/** AWS Secrets Manager: secrets with their versions. There is no rotation and no replication. */
export function createSecretsmanagerService(kernel: Kernel): Service {
  const secrets = new Secrets(kernel);
  return {
    name: 'secretsmanager',
    signingNames: ['secretsmanager'],
    protocols: [
      jsonProtocol({
        version: '1.1',
        targetPrefix: 'secretsmanager',
        inputTypes: { CreateSecret: { SecretBinary: 'blob' }, PutSecretValue: { SecretBinary: 'blob' } },
      }),
    ],
    operations: { ...secretOperations(secrets), ...valueOperations(secrets) },
    state: secrets.state,
  };
}
