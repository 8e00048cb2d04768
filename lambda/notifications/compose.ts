import type { Notice, NoticeGroup } from '@thingstead/contracts/notices';

/** What one Publish carries: the words for each protocol of SNS. */
export interface Message {
  /** 1 to 100 ASCII characters, a limit of SNS. */
  readonly subject: string;
  readonly byProtocol: Readonly<
    Record<'default' | 'email' | 'sms' | 'https' | 'APNS' | 'APNS_SANDBOX' | 'GCM', string>
  >;
}

/** The part of a notice that one person may see. */
export interface PersonalNotice extends Pick<Notice, 'id' | 'kind' | 'at' | 'things'> {
  /** Only for who watches the group as a whole. */
  readonly group: NoticeGroup | undefined;
}

/** So many things are listed in a mail. */
const MAX_LISTED = 50;
/** So many are in the JSON of a webhook: with all of 2 500 a message would be larger than SNS takes (256 KB). */
const MAX_IN_JSON = 500;

/**
 * A notice in the words of every protocol; SNS takes those that a subscription needs:
 * https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
 */
export function compose({ id, kind, at, things, group }: PersonalNotice): Message {
  const [first] = things;
  const one = things.length === 1 && first ? first : undefined;
  const where = group && group.kind !== 'thing' ? ` of ${group.name}` : '';
  const subject = one ? `${one.thing} is ${kind}` : `${things.length} things${where} are ${kind}`;
  const listed = things.slice(0, MAX_LISTED).map(({ thing, since }) => `${thing}, since ${minute(since)}`);
  const more = things.length - listed.length;
  const mail = [`${subject}.`, '', ...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  const short = one ? `${subject} since ${minute(one.since)}` : subject;
  const json = {
    ...{ id, kind, at },
    ...(group && { group }),
    things: things.slice(0, MAX_IN_JSON).map(({ thing, since }) => ({ thing, since })),
    count: things.length,
  };
  return message(subject, mail, short, JSON.stringify(json), { notice: id, kind });
}

/** Says, once a day, that there are no more notices that day. */
export function composeLimit(day: string, limit: number): Message {
  const subject = `No more notices on ${day}`;
  const text = `You have had ${limit} notices today, which is the limit. There will be no more before midnight UTC.`;
  return message(subject, text, text, JSON.stringify({ kind: 'limit', day, limit }), { kind: 'limit' });
}

function message(
  subject: string,
  mail: string,
  short: string,
  json: string,
  data: Readonly<Record<string, string>>,
): Message {
  const apns = JSON.stringify({ aps: { alert: { title: subject, body: short }, sound: 'default' }, ...data });
  const GCM = JSON.stringify({ fcmV1Message: { message: { notification: { title: subject, body: short }, data } } });
  return {
    subject,
    byProtocol: { default: mail, email: mail, sms: short, https: json, APNS: apns, APNS_SANDBOX: apns, GCM },
  };
}

/** `2026-11-21 14:05 UTC` */
function minute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
