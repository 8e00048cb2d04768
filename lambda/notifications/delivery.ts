/**
 * One notice to one person, at most one Publish. INVARIANTS:
 * - nothing is published without a claim, and a claim is written once per notice and person;
 * - a claim is given up only after SNS has said no;
 * - a claim that is neither given up nor known to be sent ends in the queue of failures, never in a second Publish.
 */
import { CLAIM_LEASE_SECONDS, type DeliveryRow, type UnconfirmedDelivery } from '@thingstead/contracts/notifications';
import { composeLimit, type Message } from './compose.ts';
import type { Ports } from './ports.ts';

/** `again`: the notice must come again. */
export type Result = 'done' | 'again';

export interface Addressee {
  readonly person: string;
  readonly topicArn: string;
}

/** Tells one person, if the day's limit allows it. */
export async function deliverTo(
  to: Addressee,
  noticeId: string,
  message: Message,
  things: number,
  ports: Ports,
): Promise<Result> {
  const delivery = newDelivery(noticeId, to.person, ports);
  const claim = await ports.deliveries.claim(delivery, ports.dailyLimit);
  if (claim.status === 'existing') return review(claim.delivery, ports);
  if (claim.status === 'over-limit') return refuse(to, delivery, ports);
  return publish(to, delivery, message, { things, counted: true }, ports);
}

/** What has become of a delivery that somebody else has begun. */
export async function review(delivery: DeliveryRow, ports: Ports): Promise<Result> {
  if (delivery.status !== 'claimed') return 'done';
  if (ports.now() - delivery.at < CLAIM_LEASE_SECONDS * 1000) return 'again';
  return unconfirmed(delivery, 'whoever began it did not say how it ended', ports);
}

async function publish(
  { topicArn }: Addressee,
  delivery: DeliveryRow,
  message: Message,
  { things, counted }: { readonly things: number; readonly counted: boolean },
  ports: Ports,
): Promise<Result> {
  const { noticeId, person } = delivery;
  const published = await ports.topics.publish(topicArn, message);
  if (published.outcome === 'unknown') return unconfirmed(delivery, published.reason, ports);
  if (published.outcome === 'refused') {
    ports.reports.refused({ noticeId, person, reason: published.reason });
    await ports.deliveries.release(delivery, counted);
    return 'again';
  }
  await ports.deliveries.settle(delivery, 'sent', published.messageId);
  ports.reports.sent({ noticeId, person, things });
  return 'done';
}

async function unconfirmed(delivery: DeliveryRow, reason: string, ports: Ports): Promise<Result> {
  const { noticeId, person, at } = delivery;
  const failure: UnconfirmedDelivery = { kind: 'unconfirmed-delivery', noticeId, person, at, reason };
  await ports.failures.send(failure);
  ports.reports.unconfirmed(failure);
  await ports.deliveries.settle(delivery, 'unconfirmed');
  return 'done';
}

/** The first notice beyond the limit becomes one that says so; every one is recorded, counted and logged. */
async function refuse(to: Addressee, delivery: DeliveryRow, ports: Ports): Promise<Result> {
  const { noticeId, person } = delivery;
  const day = new Date(delivery.at).toISOString().slice(0, 10);
  const summary = newDelivery(`limit#${day}`, person, ports);
  const claim = await ports.deliveries.claim(summary, undefined);
  const told =
    claim.status === 'existing'
      ? await review(claim.delivery, ports)
      : await publish(to, summary, composeLimit(day, ports.dailyLimit), { things: 0, counted: false }, ports);
  if (told === 'again') return 'again';
  // Before the record, so that a crash in between repeats the report, and never loses it.
  ports.reports.overLimit({ noticeId, person });
  await ports.deliveries.refuse({ ...delivery, status: 'over-limit' });
  return 'done';
}

function newDelivery(noticeId: string, person: string, ports: Ports): DeliveryRow {
  return { noticeId, person, status: 'claimed', token: ports.newToken(), at: ports.now() };
}
