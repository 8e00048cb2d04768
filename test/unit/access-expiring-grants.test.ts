/** The message that waits for the end of a grant. */
import type { SQSEvent } from 'aws-lambda';
import { createHandler } from '../../lambda/expiring-grants/handler.ts';

const ENDS_AT = 1_000_000;
const TARGET = { kind: 'thing', name: 'lamp' } as const;

/** What becomes of the message when the grant ends then. */
async function look(now: number, grantEndsAt: number | undefined) {
  const [scheduled, ended, failures]: unknown[][] = [[], [], []];
  const handler = createHandler({
    now: () => now,
    grants: {
      endOf: async () => grantEndsAt,
      end: async () => grantEndsAt !== undefined && grantEndsAt <= now,
    },
    endings: { schedule: async (ending) => void scheduled?.push(ending) },
    ended: (ending) => void ended?.push(ending),
    failed: (error) => void failures?.push(error),
  });
  const body = JSON.stringify({ person: 'ada', target: TARGET, endsAt: ENDS_AT });
  const answer = await handler({ Records: [{ messageId: 'm', body }] } as unknown as SQSEvent);
  expect([answer, failures]).toEqual([{ batchItemFailures: [] }, []]);
  return { scheduled: scheduled?.length, ended: ended?.length };
}

it.each([
  ['comes back before its time', ENDS_AT - 1, ENDS_AT, { scheduled: 1, ended: 0 }],
  ['ends the grant at its time', ENDS_AT, ENDS_AT, { scheduled: 0, ended: 1 }],
  ['comes back no more when the grant is gone', 0, undefined, { scheduled: 0, ended: 0 }],
  ['comes back no more when the grant has another end', 0, ENDS_AT + 1, { scheduled: 0, ended: 0 }],
  ['ends nothing that ends later', ENDS_AT, ENDS_AT + 1, { scheduled: 0, ended: 0 }],
])('%s', async (_, now, grantEndsAt, expected) => {
  expect(await look(now, grantEndsAt)).toEqual(expected);
});
