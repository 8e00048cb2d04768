import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { codeKey, grantKey, invitationKey, ownerKey, targetKey, thingCodeKey } from '@thingstead/contracts/grants';
import { memberKey, ownedThingsKey, turnKey } from '@thingstead/contracts/ownership';
import type { Change, Grant, Owner } from '../pairing/ports.ts';

type Item = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A change as one action of TransactWriteItems, with its condition. */
export function actionOf(change: Change, TableName: string): Item {
  switch (change.do) {
    case 'use-code':
      return {
        Update: {
          ...{ TableName, Key: codeKey(change.selector) },
          UpdateExpression: 'SET usedBy = :person',
          ConditionExpression: '#hash = :hash AND attribute_not_exists(usedBy)',
          ExpressionAttributeNames: { '#hash': 'hash' },
          ExpressionAttributeValues: { ':person': change.person, ':hash': change.hash },
        },
      };
    case 'forget-codes': {
      const ofIt = change.hash !== undefined && {
        ConditionExpression: 'contains(hashes, :hash)',
        ExpressionAttributeValues: { ':hash': change.hash },
      };
      return { Delete: { TableName, Key: thingCodeKey(change.thing), ...ofIt } };
    }
    case 'put-owner': {
      const Item = { ...ownerKey(change.target), ...change.owner };
      return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
    }
    case 'replace-owner': {
      const Item = { ...ownerKey(change.target), ...change.owner };
      return { Put: { TableName, Item, ...isOwner(change.before, 'with its shares') } };
    }
    case 'remove-owner':
      return { Delete: { TableName, Key: ownerKey(change.target), ...isOwner(change.before, 'with its shares') } };
    case 'count-shares': {
      const condition = isOwner(change.before);
      return {
        Update: {
          ...{ TableName, Key: ownerKey(change.target), UpdateExpression: 'ADD shares :add', ...condition },
          ExpressionAttributeValues: { ...condition.ExpressionAttributeValues, ':add': change.add },
        },
      };
    }
    case 'check-no-owner':
      return {
        ConditionCheck: { TableName, Key: ownerKey(change.target), ConditionExpression: 'attribute_not_exists(pk)' },
      };
    case 'put-grant':
      return { Put: { TableName, Item: grantItem(change.grant) } };
    case 'remove-grant':
      return { Delete: { TableName, Key: grantKey(change.person, change.target) } };
    case 'add-member':
    case 'change-member': {
      const { holder, member } = change;
      const Item = { ...memberKey(holder, member.of, member.person), ...member };
      const ConditionExpression = `attribute_${change.do === 'add-member' ? 'not_exists' : 'exists'}(pk)`;
      return { Put: { TableName, Item, ConditionExpression } };
    }
    case 'remove-member': {
      const Key = memberKey(change.holder, change.member.of, change.member.person);
      return { Delete: { TableName, Key, ConditionExpression: 'attribute_exists(pk)' } };
    }
    case 'count-owned-things':
      return {
        Update: {
          ...{ TableName, Key: ownedThingsKey(change.site), UpdateExpression: 'ADD things :add' },
          ExpressionAttributeValues: { ':add': change.add },
        },
      };
    case 'check-no-owned-things':
      return {
        ConditionCheck: {
          ...{ TableName, Key: ownedThingsKey(change.site) },
          ConditionExpression: 'attribute_not_exists(pk) OR things = :none',
          ExpressionAttributeValues: { ':none': 0 },
        },
      };
    case 'take-turn':
      return {
        Put: {
          ...{ TableName, Item: { ...turnKey(change.person), turn: change.turn + 1 } },
          ConditionExpression: change.turn === 0 ? 'attribute_not_exists(pk)' : 'turn = :turn',
          ...(change.turn !== 0 && { ExpressionAttributeValues: { ':turn': change.turn } }),
        },
      };
    case 'accept-invitation':
      return {
        Update: {
          ...{ TableName, Key: invitationKey(change.target, change.id) },
          UpdateExpression: 'SET acceptedBy = :person',
          ConditionExpression: '#hash = :hash AND attribute_not_exists(acceptedBy)',
          ExpressionAttributeNames: { '#hash': 'hash' },
          ExpressionAttributeValues: { ':person': change.person, ':hash': change.hash },
        },
      };
  }
}

function isOwner({ person, since, shares }: Owner, how?: 'with its shares') {
  return {
    ConditionExpression: `person = :before AND since = :since${how ? ' AND shares = :shares' : ''}`,
    ExpressionAttributeValues: { ':before': person, ':since': since, ...(how && { ':shares': shares }) },
  };
}

/** DynamoDB removes it some time after it has ended. */
function grantItem({ target, endsAt, ...grant }: Grant): Record<string, unknown> {
  const ends = endsAt === undefined ? {} : { endsAt, expiresAt: Math.ceil(endsAt / 1000) };
  return { ...grantKey(grant.person, target), target: targetKey(target), ...grant, ...ends };
}
