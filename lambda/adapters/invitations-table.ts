import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';
import { type GrantTarget, InvitationRow, invitationKey, targetKey } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { Invitations } from '../pairing/ports.ts';

/** Invitations in the access table, beside what they are for. DynamoDB removes them some time after they have ended. */
export class InvitationsTable implements Invitations {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async find(target: GrantTarget, id: string): Promise<InvitationRow | undefined> {
    const get = { TableName: this.#table, Key: invitationKey(target, id), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(InvitationRow, Item, `the invitation ${id}`);
  }

  async all(target: GrantTarget): Promise<readonly InvitationRow[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :target AND begins_with(sk, :invitation)',
      ExpressionAttributeValues: { ':target': targetKey(target), ':invitation': invitationKey(target, '').sk },
      ConsistentRead: true,
    };
    const found: InvitationRow[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      found.push(...Items.map((row) => parseRow(InvitationRow, row, `an invitation to ${targetKey(target)}`)));
    }
    return found;
  }

  async put(target: GrantTarget, invitation: InvitationRow): Promise<void> {
    const Item = { ...invitationKey(target, invitation.id), ...invitation };
    await this.#client.send(new PutCommand({ TableName: this.#table, Item }));
  }

  async remove(target: GrantTarget, id: string): Promise<boolean> {
    const command = { TableName: this.#table, Key: invitationKey(target, id), ReturnValues: 'ALL_OLD' } as const;
    const { Attributes } = await this.#client.send(new DeleteCommand(command));
    return Attributes !== undefined;
  }
}
