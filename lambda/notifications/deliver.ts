import type { Notice } from '@thingstead/contracts/notices';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { compose } from './compose.ts';
import { deliverTo, type Result, review } from './delivery.ts';
import type { Ports } from './ports.ts';
import { personal, watchersOf } from './recipients.ts';

const CONCURRENT_PEOPLE = 10;

/** Not everybody is told yet: the message must come again. */
export class UnfinishedNoticeError extends Error {
  override readonly name = 'UnfinishedNoticeError';
}

/**
 * Tells everybody who watches what a notice is about. Safe to call again with the same notice, at any time and from
 * anywhere: who is told already is not told again. @throws UnfinishedNoticeError when somebody could not be told
 */
export async function deliver(notice: Notice, ports: Ports): Promise<void> {
  // Also of people who do not watch any more: a claim that was left behind must not be forgotten.
  const begun = await ports.deliveries.of(notice.id);
  const watched = await watchersOf(notice, ports.directory);
  const people = [...watched].filter(([person]) => !begun.some((each) => each.person === person));
  const results = [
    ...(await mapConcurrent(begun, CONCURRENT_PEOPLE, (each) => attempt(ports, () => review(each, ports)))),
    ...(await mapConcurrent(people, CONCURRENT_PEOPLE, ([id, theirs]) =>
      attempt(ports, async () => {
        const person = await ports.directory.person(id);
        const wanted = personal(notice, theirs, person, ports.now());
        if (!wanted || person.topicArn === undefined) return 'done';
        if (!ports.mayBegin()) return 'again';
        const to = { person: id, topicArn: person.topicArn };
        return deliverTo(to, notice.id, compose(wanted), wanted.things.length, ports);
      }),
    )),
  ];
  const unfinished = results.filter((result) => result === 'again').length;
  if (unfinished > 0)
    throw new UnfinishedNoticeError(`${unfinished} of ${results.length} people are not told of ${notice.id}`);
}

/** One person's trouble must not keep others from being told. */
async function attempt(ports: Ports, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    ports.reports.failed('delivery', error);
    return 'again';
  }
}
