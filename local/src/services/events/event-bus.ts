import { AwsError } from '../../kernel/errors.ts';

/** The bus by name or ARN; only `default` exists. Throws ResourceNotFoundException. */
export function checkBus(nameOrArn: string | undefined): 'default' {
  const name = nameOrArn?.split('/').at(-1) ?? 'default';
  if (name === 'default') return name;
  throw new AwsError(
    'ResourceNotFoundException',
    `Event bus ${name} does not exist: the local runtime has the default bus only.`,
  );
}
