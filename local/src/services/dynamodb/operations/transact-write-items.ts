import { createHash } from 'node:crypto';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { conditionHolds } from '../condition-check.ts';
import { checkKey, checkPaths } from '../dynalite.ts';
import { itemPermission, type KeyRequest, type PutRequest, parsedOnce, prepare } from '../item-requests.ts';
import { itemBytes } from '../item-size.ts';
import { meterWrite } from '../metering.ts';
import { type Table, tieOf } from '../table.ts';
import type { Tables } from '../tables.ts';
import { cancelled, type Reason } from '../transaction-cancelled.ts';
import { checkPut } from './put-item.ts';
import { checkUpdate, updated } from './update-item.ts';

const MAX_ACTIONS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_TOKEN_LENGTH = 36;
/** "A client request token is valid for 10 minutes after the first request that uses it is completed." */
const TOKEN_MS = 10 * 60_000;

type Action =
  | { readonly kind: 'Put'; readonly request: PutRequest; readonly key: Item }
  | { readonly kind: 'Update' | 'Delete' | 'ConditionCheck'; readonly request: KeyRequest; readonly key: Item };

const PERMISSIONS = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
} as const;

function parseAction(tables: Tables, entry: unknown): Action {
  const given = Object.entries((entry ?? {}) as Readonly<Record<string, unknown>>).filter(([, value]) => value != null);
  const [kind, input] = given[0] ?? [];
  if (given.length !== 1 || kind === undefined || !Object.hasOwn(PERMISSIONS, kind)) {
    throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  if (kind === 'Put') {
    const request = prepare<PutRequest>(tables, 'PutItem', input);
    return { kind, request, key: request.Item };
  }
  if (kind === 'Update') {
    const request = prepare<KeyRequest>(tables, 'UpdateItem', input);
    return { kind, request, key: request.Key };
  }
  // A condition check has the members of a deletion.
  const request = prepare<KeyRequest>(tables, 'DeleteItem', input);
  if (kind === 'ConditionCheck' && request._condition === undefined) {
    throw invalid(
      "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null",
    );
  }
  return { kind: kind === 'Delete' ? 'Delete' : 'ConditionCheck', request, key: request.Key };
}

/** @throws AwsError ValidationException for a number of actions that no transaction has */
export function checkCount(items: unknown): readonly unknown[] {
  if (Array.isArray(items) && items.length >= 1 && items.length <= MAX_ACTIONS) return items;
  throw invalid(
    `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1 and less than or equal to ${MAX_ACTIONS}`,
  );
}

/** @throws AwsError ValidationException when two actions are on one item */
export function checkDistinct(located: readonly { readonly table: Table; readonly key: Item }[]): void {
  const keys = new Set(located.map(({ table, key }) => `${table.name}\u0000${tieOf(table.position(key))}`));
  if (keys.size === located.length) return;
  throw invalid('Transaction request cannot include multiple operations on one item');
}

/** @throws AwsError ValidationException when the items of a transaction are larger than 4 MB together */
export function checkBytes(items: readonly (Item | undefined)[]): void {
  const bytes = items.reduce((sum, item) => sum + (item === undefined ? 0 : itemBytes(item)), 0);
  if (bytes > MAX_BYTES) throw invalid('Transaction payload size exceeded. Limit: 4 MB');
}

/** @throws AwsError ValidationException for a token that is empty or longer than 36 characters */
function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || (token.length >= 1 && token.length <= MAX_TOKEN_LENGTH)) return token;
  throw invalid(
    `1 validation error detected: Value '${token}' at 'clientRequestToken' failed to satisfy constraint: Member must have length between 1 and ${MAX_TOKEN_LENGTH}`,
  );
}

function checkAction({ kind, request }: Action, table: Table): void {
  if (kind === 'Put') checkPut(request, table);
  else if (kind === 'Update') checkUpdate(request, table);
  else {
    checkKey(request.Key, table.definition);
    checkPaths(request._condition, table.definition);
  }
}

/** What an action would leave; or why it cannot be done. */
function plan(action: Action, table: Table): { readonly after: Item | undefined } | Reason {
  const stored = table.get(action.key);
  if (!conditionHolds(action.request, stored)) {
    const wanted = action.request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && stored !== undefined;
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(wanted && { Item: stored }),
    };
  }
  if (action.kind === 'Put') return { after: action.request.Item };
  if (action.kind === 'ConditionCheck') return { after: stored };
  if (action.kind === 'Delete') return { after: undefined };
  try {
    return { after: updated(action.request, table, stored) };
  } catch (error) {
    if (error instanceof AwsError) return { Code: 'ValidationError', Message: error.message };
    throw error;
  }
}

/** @throws AwsError TransactionCanceledException, and that of a request that is wrong */
function execute(tables: Tables, actions: readonly Action[]): void {
  const located = actions.map((action) => {
    return { action, key: action.key, table: tables.get(action.request.TableName) };
  });
  for (const { action, table } of located) checkAction(action, table);
  checkDistinct(located);

  const plans = located.map(({ action, table }) => ({ action, table, outcome: plan(action, table) }));
  if (plans.some(({ outcome }) => 'Code' in outcome)) {
    throw cancelled(plans.map(({ outcome }) => ('Code' in outcome ? outcome : { Code: 'None' })));
  }
  checkBytes(plans.map(({ outcome }) => ('after' in outcome ? outcome.after : undefined)));
  for (const { action, table, outcome } of plans) {
    const before = table.get(action.key);
    const after = 'after' in outcome ? outcome.after : undefined;
    if (action.kind === 'Delete') table.delete(action.key);
    else if (action.kind !== 'ConditionCheck' && after) tables.put(table, after);
    meterWrite(tables, table, before, after, true);
  }
}

/** What was done under each client request token, while the token is valid; oldest first. */
class RequestTokens {
  readonly #tables: Tables;
  readonly #done = new Map<string, { readonly digest: string; readonly expiresAt: number }>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** @throws AwsError IdempotentParameterMismatchException when the token was used for another request */
  isDone(token: string, digest: string): boolean {
    const now = this.#tables.kernel.clock.now();
    for (const [each, { expiresAt }] of this.#done) {
      if (expiresAt > now) break;
      this.#done.delete(each);
    }
    const known = this.#done.get(token);
    if (known === undefined || known.digest === digest) return known !== undefined;
    throw new AwsError(
      'IdempotentParameterMismatchException',
      'The provided client token was used with different parameters',
    );
  }

  done(token: string, digest: string): void {
    this.#done.set(token, { digest, expiresAt: this.#tables.kernel.clock.now() + TOKEN_MS });
  }
}

/** TransactWriteItems: up to 100 writes and checks that all happen or none; once for each client request token. */
export function transactWriteItems(tables: Tables): AnyOperation {
  const tokens = new RequestTokens(tables);
  const requests = parsedOnce((input) => {
    const { TransactItems, ClientRequestToken } = (input ?? {}) as {
      readonly TransactItems?: unknown;
      readonly ClientRequestToken?: string;
    };
    const actions = checkCount(TransactItems).map((each) => parseAction(tables, each));
    return { actions, token: checkToken(ClientRequestToken) };
  });
  return operation<unknown, object>({
    permissions: (input) =>
      requests.prepare(input).actions.map(({ kind, request, key }) =>
        itemPermission(tables, PERMISSIONS[kind], request, [key], {
          'dynamodb:EnclosingOperation': 'TransactWriteItems',
        }),
      ),
    run(input) {
      const { actions, token } = requests.take(input);
      const digest = token === undefined ? '' : createHash('sha256').update(JSON.stringify(actions)).digest('base64');
      if (token !== undefined && tokens.isDone(token, digest)) return {};
      execute(tables, actions);
      if (token !== undefined) tokens.done(token, digest);
      return {};
    },
  });
}
