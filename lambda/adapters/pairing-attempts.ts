import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { AttemptsRow, attemptsKey, CodeRow, codeKey } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { Attempts } from '../pairing/ports.ts';
import { throughConflicts } from './transaction-conflicts.ts';

/** Wrong codes of a person until none is taken for a while: a code of eight characters is mistyped once or twice. */
const MAX_WRONG = 10;
/** Counted from the last one, so that no more than `MAX_WRONG` come in any such time. */
const WINDOW_MS = 10 * 60_000;

type Update = Omit<UpdateCommandInput, 'TableName' | 'Key'>;
type Key = ReturnType<typeof attemptsKey>;

/** Counts attempts at pairing codes in the access table. */
export class PairingAttempts implements Attempts {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(
    person: string,
    now: number,
  ): Promise<{ readonly allowed: true } | { readonly until: number; readonly allowed: false }> {
    const endsAt = now + WINDOW_MS;
    const until = { ':endsAt': endsAt, ':expiresAt': Math.ceil(endsAt / 1000), ':now': now };
    for (;;) {
      const another = await this.#update(attemptsKey(person), {
        UpdateExpression: 'SET wrong = wrong + :one, windowEndsAt = :endsAt, expiresAt = :expiresAt',
        ConditionExpression: 'windowEndsAt > :now AND wrong < :max',
        ExpressionAttributeValues: { ...until, ':one': 1, ':max': MAX_WRONG },
      });
      if (another.done) return { allowed: true };
      const row = await this.#get(attemptsKey(person));
      const found = row && parseRow(AttemptsRow, row, `attempts of ${person}`);
      if (found && found.windowEndsAt > now && found.wrong >= MAX_WRONG) {
        return { allowed: false, until: found.windowEndsAt };
      }
      const first = await this.#update(attemptsKey(person), {
        UpdateExpression: 'SET wrong = :one, windowEndsAt = :endsAt, expiresAt = :expiresAt',
        ConditionExpression: 'attribute_not_exists(pk) OR windowEndsAt <= :now',
        ExpressionAttributeValues: { ...until, ':one': 1 },
      });
      if (first.done) return { allowed: true };
    }
  }

  async undo(person: string): Promise<void> {
    await this.#update(attemptsKey(person), {
      UpdateExpression: 'SET wrong = wrong - :one',
      ConditionExpression: 'wrong > :none',
      ExpressionAttributeValues: { ':one': 1, ':none': 0 },
    });
  }

  async take(selector: string, now: number): Promise<CodeRow | undefined> {
    const taken = await this.#update(codeKey(selector), {
      UpdateExpression: 'SET attemptsLeft = attemptsLeft - :one',
      ConditionExpression: 'attemptsLeft > :none AND endsAt > :now AND attribute_not_exists(usedBy)',
      ExpressionAttributeValues: { ':one': 1, ':none': 0, ':now': now },
      ReturnValues: 'ALL_NEW',
    });
    // Read in any case: what a wrong code costs does not tell whether there is a row.
    const read = await this.#get(codeKey(selector));
    const row = taken.done ? taken.row : read;
    if (!row) return undefined;
    const code = parseRow(CodeRow, row, `the code ${selector}`);
    // One that was used is there for whoever has used it.
    return taken.done || (code.usedBy !== undefined && code.endsAt > now) ? code : undefined;
  }

  async #get(Key: Key): Promise<Record<string, unknown> | undefined> {
    const get = new GetCommand({ TableName: this.#table, Key, ConsistentRead: true });
    return (await this.#client.send(get)).Item;
  }

  async #update(Key: Key, update: Update) {
    try {
      const command = { TableName: this.#table, Key, ...update };
      const { Attributes } = await throughConflicts(() => this.#client.send(new UpdateCommand(command)));
      return { done: true, row: Attributes } as const;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { done: false } as const;
      throw error;
    }
  }
}
