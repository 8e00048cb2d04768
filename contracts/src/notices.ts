/** What presence tells, and the notifications function turns into messages to people. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger());

/** So many things are named in one notice; a larger outage is several notices. Keeps a notice's item below 400 KB. */
export const MAX_THINGS_PER_NOTICE = 2_500;

/** What things have in common that are in one notice. */
export const NoticeGroup = v.object({ kind: v.picklist(['site', 'gateway', 'thing']), name: v.string() });
export type NoticeGroup = v.InferOutput<typeof NoticeGroup>;

/** One message on the notices queue. The same notice may come more than once; its id is the same then. */
export const Notice = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  kind: v.picklist(['offline', 'online']),
  group: NoticeGroup,
  /** Things, and since when they are offline or online again. */
  things: v.pipe(
    v.array(v.object({ thing: v.pipe(v.string(), v.regex(THING_NAME)), since: EpochMilliseconds })),
    v.minLength(1),
  ),
  at: EpochMilliseconds,
});
export type Notice = v.InferOutput<typeof Notice>;

/**
 * A notice on its way, in the things table: written before anything else is done about it, so that whoever comes next
 * completes what another could not. One row per group and kind; the next notice replaces one that is sent.
 */
export const PendingNotice = v.object({
  id: v.string(),
  kind: Notice.entries.kind,
  group: NoticeGroup,
  /** `about`: the outage or the return of that thing. */
  things: v.pipe(v.array(v.object({ thing: v.string(), since: EpochMilliseconds, about: v.string() })), v.minLength(1)),
  at: EpochMilliseconds,
  status: v.picklist(['pending', 'sent']),
  /** When somebody last began to send it; nobody else does until that one must be dead. */
  takenAt: EpochMilliseconds,
  revision: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});
export type PendingNotice = v.InferOutput<typeof PendingNotice>;

/** `offline#site#macdonald`: what the index of pending notices is asked for. */
export function noticeGroupKey(kind: Notice['kind'], group: NoticeGroup): string {
  return `${kind}#${group.kind}#${group.name}`;
}

/** Key of the row in the things table that holds a group's notice. */
export function pendingNoticeKey(groupKey: string): { readonly pk: string; readonly sk: string } {
  return { pk: `notice#${groupKey}`, sk: 'notice' };
}
