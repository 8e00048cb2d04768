import { GRANT_PREFIX, type GrantTarget, SessionRow, targetOfKey } from '@thingstead/contracts/grants';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import * as v from 'valibot';
import type { PersonChanges } from './reconcile.ts';

const PERSON = 'person#';
const IDENTITY = 'identity#';
const SESSION = 'session#';

type Image = Readonly<Record<string, AttributeValue>>;

export type Change =
  | { readonly kind: 'person'; readonly changes: PersonChanges }
  | { readonly kind: 'session'; readonly identityId: string; readonly session: SessionRow };

/** What one record of the access table's stream is about; undefined when nothing hangs on it. @throws v.ValiError for a row that is none of ours */
export function readRecord({ eventName, dynamodb }: DynamoDBRecord): Change | undefined {
  const pk = dynamodb?.Keys?.pk?.S ?? '';
  const sk = dynamodb?.Keys?.sk?.S ?? '';
  const { OldImage: old, NewImage: now } = dynamodb ?? {};
  if (pk.startsWith(PERSON)) {
    const person = pk.slice(PERSON.length);
    if (sk === 'profile') return profileChange(person, old);
    if (sk.startsWith(GRANT_PREFIX)) {
      return grantChange(person, targetOfKey(sk.slice(GRANT_PREFIX.length)), eventName, now);
    }
  }
  if (pk.startsWith(IDENTITY) && sk.startsWith(SESSION) && now) {
    const session = v.parse(SessionRow, { clientId: now.clientId?.S, connectedAt: Number(now.connectedAt?.N) });
    return { kind: 'session', identityId: pk.slice(IDENTITY.length), session };
  }
  return undefined;
}

function profileChange(person: string, old: Image | undefined): Change {
  const before = old?.identityId?.S;
  const identities = before === undefined ? [] : [before];
  return { kind: 'person', changes: { person, targets: [], endings: [], identities } };
}

/** A person who does not want to be told of a thing any more stays so when their role changes. */
function grantChange(
  person: string,
  target: GrantTarget,
  eventName: DynamoDBRecord['eventName'],
  now: Image | undefined,
): Change {
  const endsAt = now?.endsAt?.N === undefined ? undefined : Number(now.endsAt.N);
  return {
    kind: 'person',
    changes: {
      person,
      targets: eventName === 'MODIFY' ? [] : [target],
      endings: endsAt === undefined ? [] : [{ target, endsAt }],
      identities: [],
    },
  };
}
