/** What a person may see of a notice, and the words for each channel, within the limits of SNS. */
import { MAX_THINGS_PER_NOTICE, type Notice } from '../../contracts/src/notices.ts';
import { compose, composeLimit } from '../../lambda/notifications/compose.ts';
import type { Person } from '../../lambda/notifications/ports.ts';
import { personal, watchersOf } from '../../lambda/notifications/recipients.ts';

const AT = Date.UTC(2026, 10, 21, 14, 5);
const NOBODY: Person = { topicArn: 'arn', preferences: {}, things: new Map() };

function notice(count: number, more: Partial<Notice> = {}): Notice {
  const things = Array.from({ length: count }, (_, n) => ({ thing: `farm-${n}`.padEnd(64, 'x'), since: AT }));
  return { id: 'i'.repeat(256), kind: 'offline', group: { kind: 'site', name: 'farm' }, things, at: AT, ...more };
}

describe('a message', () => {
  it('about one thing says since when', () => {
    const things = [{ thing: 'barn', since: AT }];
    const { subject, byProtocol } = compose({ ...notice(0), things, group: undefined });

    expect(subject).toBe('barn is offline');
    expect(byProtocol.sms).toBe('barn is offline since 2026-11-21 14:05 UTC');
    expect(byProtocol.email).toBe('barn is offline.\n\nbarn, since 2026-11-21 14:05 UTC');
    expect(JSON.parse(byProtocol.https)).toMatchObject({ kind: 'offline', things, count: 1 });
    expect(JSON.parse(byProtocol.APNS)).toMatchObject({ aps: { alert: { title: 'barn is offline' } } });
  });

  it('lists 50 things in a mail and says how many more there are', () => {
    const lines = compose(notice(53)).byProtocol.email.split('\n');

    expect(lines.slice(0, 2)).toEqual(['53 things of farm are offline.', '']);
    expect(lines.slice(2)).toHaveLength(51);
    expect(lines.at(-1)).toBe('and 3 more');
  });

  it.each([1, 2, MAX_THINGS_PER_NOTICE])('about %i things is within what SNS and the platforms take', (count) => {
    const { subject, byProtocol } = compose(notice(count));

    expect(subject).toMatch(/^[\x20-\x7e]{1,100}$/);
    expect(Buffer.byteLength(JSON.stringify(byProtocol))).toBeLessThan(256 * 1024);
    expect(Buffer.byteLength(byProtocol.APNS)).toBeLessThanOrEqual(4096);
    expect(Buffer.byteLength(byProtocol.GCM)).toBeLessThanOrEqual(4096);
    // One text message: 160 characters of the GSM alphabet.
    expect(byProtocol.sms).toMatch(/^[\x20-\x7e]{1,160}$/);
    expect(JSON.parse(byProtocol.https).count).toBe(count);
  });

  it('about the limit names it', () => {
    expect(composeLimit('2026-11-21', 50).byProtocol.sms).toMatch(/had 50 notices today/);
  });
});

describe('of a notice', () => {
  const watchers: Readonly<Record<string, readonly string[]>> = {
    'site#farm': ['mary'],
    'thing#farm-b': ['sam', 'mary'],
    'gateway#hub': ['gus'],
  };
  const directory = {
    watchers: async ({ kind, name }: { readonly kind: string; readonly name: string }) =>
      watchers[`${kind}#${name}`] ?? [],
    person: async () => NOBODY,
  };
  const things = ['farm-a', 'farm-b', 'lone'].map((thing) => ({ thing, since: AT }));

  async function seenIn(group: Notice['group']): Promise<Readonly<Record<string, unknown>>> {
    const watched = await watchersOf(notice(0, { group, things }), directory);
    return Object.fromEntries([...watched].map(([person, seen]) => [person, [[...seen.things], seen.group]]));
  }

  it('a person sees what they watch, and the group only if they watch that', async () => {
    expect(await seenIn({ kind: 'site', name: 'farm' })).toEqual({
      mary: [['farm-a', 'farm-b'], true],
      sam: [['farm-b'], false],
    });
    expect(await seenIn({ kind: 'gateway', name: 'hub' })).toEqual({
      mary: [['farm-a', 'farm-b'], false],
      sam: [['farm-b'], false],
      gus: [['farm-a', 'farm-b', 'lone'], true],
    });
  });

  it.each<[string, Partial<Person>, readonly string[]]>([
    ['all', {}, ['farm-a', 'farm-b']],
    ['nothing while muted', { preferences: { mutedUntil: AT + 1 } }, []],
    ['all at the end of it', { preferences: { mutedUntil: AT } }, ['farm-a', 'farm-b']],
    ['nothing of other kinds', { preferences: { kinds: ['online'] } }, []],
    ['what is not muted', { things: new Map([['farm-a', { mutedUntil: AT + 1 }]]) }, ['farm-b']],
    ['what is wanted of a thing', { things: new Map([['farm-b', { kinds: ['online' as const] }]]) }, ['farm-a']],
  ])('a person is told %s', (_what, preferred, expected) => {
    const watched = { things: new Set(['farm-a', 'farm-b']), group: false };
    const told = personal(notice(0, { things }), watched, { ...NOBODY, ...preferred }, AT);

    expect(told?.things.map(({ thing }) => thing) ?? []).toEqual(expected);
    expect(told?.group).toBeUndefined();
  });
});
