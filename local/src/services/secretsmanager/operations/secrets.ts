import { randomUUID } from 'node:crypto';
import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import type { Secret, Secrets } from '../secrets.ts';
import { useKey } from './use-key.ts';

interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

interface CreateInput {
  readonly Name?: string;
  readonly ClientRequestToken?: string;
  readonly Description?: string;
  readonly KmsKeyId?: string;
  readonly SecretString?: string;
  readonly SecretBinary?: Buffer;
  readonly Tags?: readonly Tag[];
  readonly AddReplicaRegions?: readonly unknown[];
}

interface DeleteInput {
  readonly SecretId?: string;
  readonly RecoveryWindowInDays?: number;
  readonly ForceDeleteWithoutRecovery?: boolean;
}

interface ListInput {
  readonly MaxResults?: number;
  readonly NextToken?: string;
  readonly IncludePlannedDeletion?: boolean;
  readonly Filters?: readonly unknown[];
}

interface IdInput {
  readonly SecretId?: string;
}

const DAY_MS = 86_400_000;
const DEFAULT_WINDOW_DAYS = 30;
const MIN_WINDOW_DAYS = 7;
const MAX_PAGE = 100;

/** Administration of secrets: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
export function secretOperations(secrets: Secrets): Readonly<Record<string, AnyOperation>> {
  return {
    CreateSecret: operation<CreateInput, object>({
      permissions: ({ Name, Tags = [] }) =>
        ['CreateSecret', ...(Tags.length > 0 ? ['TagResource'] : [])].map((action) => ({
          action: `secretsmanager:${action}`,
          resource: secrets.arnOf(Name),
          context: { 'secretsmanager:Name': Name ?? '', 'aws:TagKeys': Tags.map(({ Key = '' }) => Key) },
        })),
      run: (input, context) =>
        create(secrets, input, (secret, id) => useKey(secrets, secret, id, 'GenerateDataKey', context)),
    }),
    DescribeSecret: operation<IdInput, object>({
      permissions: ({ SecretId }) => secrets.permission('DescribeSecret', SecretId),
      run: ({ SecretId }) => {
        const secret = secrets.get(SecretId);
        return { ...describe(secret), VersionIdsToStages: stagesOf(secret) };
      },
    }),
    ListSecrets: operation<ListInput, object>({
      permissions: () => [{ action: 'secretsmanager:ListSecrets', resource: '*' }],
      run: (input) => list(secrets, input),
    }),
    DeleteSecret: operation<DeleteInput, object>({
      permissions: ({ SecretId }) => secrets.permission('DeleteSecret', SecretId),
      run: (input) => remove(secrets, input),
    }),
    RestoreSecret: operation<IdInput, object>({
      permissions: ({ SecretId }) => secrets.permission('RestoreSecret', SecretId),
      run({ SecretId }) {
        const secret = secrets.get(SecretId);
        secrets.restore(secret);
        return { ARN: secret.arn, Name: secret.name };
      },
    }),
  };
}

async function create(
  secrets: Secrets,
  input: CreateInput,
  encrypt: (secret: Secret, versionId: string) => Promise<void>,
): Promise<object> {
  if (input.AddReplicaRegions?.length) throw notEmulated('secretsmanager', 'CreateSecret with AddReplicaRegions');
  const { Name = '', ClientRequestToken: id = randomUUID(), SecretString: text, SecretBinary: bytes } = input;
  const secret = secrets.create(Name, { description: input.Description, kmsKeyId: input.KmsKeyId });
  try {
    for (const { Key = '', Value = '' } of input.Tags ?? []) secret.tags.set(Key, Value);
    // A secret may be made first and get its value later.
    if (text === undefined && bytes === undefined) return { ARN: secret.arn, Name };
    await encrypt(secret, id);
    return { ARN: secret.arn, Name, VersionId: secrets.put(secret, { text, bytes }, id).id };
  } catch (error) {
    secrets.delete(secret);
    throw error;
  }
}

function remove(
  secrets: Secrets,
  { SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery = false }: DeleteInput,
): object {
  if (ForceDeleteWithoutRecovery && RecoveryWindowInDays !== undefined) {
    throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  }
  const days = RecoveryWindowInDays ?? DEFAULT_WINDOW_DAYS;
  if (!Number.isInteger(days) || days < MIN_WINDOW_DAYS || days > DEFAULT_WINDOW_DAYS) {
    throw invalidParameter(
      `RecoveryWindowInDays is ${days}; it has to be ${MIN_WINDOW_DAYS} to ${DEFAULT_WINDOW_DAYS}.`,
    );
  }
  const secret = ForceDeleteWithoutRecovery ? secrets.get(SecretId) : secrets.usable(SecretId);
  const { arn: ARN, name: Name } = secret;
  const now = secrets.kernel.clock.now();
  if (ForceDeleteWithoutRecovery) {
    secrets.delete(secret);
    return { ARN, Name, DeletionDate: new Date(now) };
  }
  const at = now + days * DAY_MS;
  secrets.markForDeletion(secret, at);
  return { ARN, Name, DeletionDate: new Date(at) };
}

function list(
  secrets: Secrets,
  { MaxResults = MAX_PAGE, NextToken, IncludePlannedDeletion, Filters }: ListInput,
): object {
  if (Filters?.length) throw notEmulated('secretsmanager', 'ListSecrets with Filters');
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > MAX_PAGE) {
    throw invalidParameter(`MaxResults is ${MaxResults}; it has to be 1 to ${MAX_PAGE}.`);
  }
  const shown = secrets.all
    .filter(({ deletionAt, arn }) => (IncludePlannedDeletion || deletionAt === undefined) && arn > (NextToken ?? ''))
    .toSorted((a, b) => (a.arn < b.arn ? -1 : 1));
  const items = shown.slice(0, MaxResults);
  return {
    SecretList: items.map((each) => ({ ...describe(each), SecretVersionsToStages: stagesOf(each) })),
    NextToken: shown.length > MaxResults ? items.at(-1)?.arn : undefined,
  };
}

function describe({ arn, name, description, kmsKeyId, tags, ...times }: Secret) {
  return {
    ARN: arn,
    Name: name,
    Description: description,
    KmsKeyId: kmsKeyId,
    CreatedDate: new Date(times.createdAt),
    LastChangedDate: new Date(times.changedAt),
    // AWS tells the day only.
    LastAccessedDate:
      times.accessedAt === undefined ? undefined : new Date(times.accessedAt - (times.accessedAt % DAY_MS)),
    DeletedDate: times.deletionAt === undefined ? undefined : new Date(times.deletionAt),
    Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
  };
}

/** Versions without a stage are deprecated, and not told of. */
function stagesOf({ versions }: Secret): Record<string, readonly string[]> {
  const shown = [...versions.values()].filter(({ stages }) => stages.size > 0);
  return Object.fromEntries(shown.map(({ id, stages }) => [id, [...stages]]));
}
