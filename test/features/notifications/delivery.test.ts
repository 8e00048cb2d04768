/** From a notice on the queue to people: who is told of what, and once each, whatever SNS or the function does. */
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { passWithoutSweeps } from '../../support/without-sweeps.ts';
import { CONTEXT, DAILY_LIMIT, notice, People } from './people.ts';

let platform: Platform;
let people: People;
const site = unique('macdonald');
const [barn, field, lone] = [`${site}-barn1`, `${site}-field1`, unique('lone')];
const HOUR = 3600;
const DAY = 24 * HOUR;
const FUNCTION = 'thingstead-notifications';
const FAILED_ALARM = 'thingstead-notices-failed-queue';

let count = 0;
const newId = (): string => unique(`delivery-${count++}`);

/** A person with a telephone; nobody else has that number. */
async function someone(): Promise<{ readonly person: string; readonly received: () => Promise<readonly string[]> }> {
  const person = unique(`person-${count++}`);
  const number = `+4917000${String(10_000 + count)}`;
  await people.sms(person, number);
  return { person, received: async () => (await people.outbox(number)).map(({ message }) => message) };
}

describeLocally('a look at what would go to people', 'a notice', () => {
  beforeAll(async () => {
    platform = await startPlatform(CONTEXT);
    people = new People(platform);
  });
  afterAll(() => platform.stop());

  it('reaches who watches its things, their site or their gateway, and tells each of their own things only', async () => {
    const [ofSite, ofBarn, ofGateway, ofNothing] = [await someone(), await someone(), await someone(), await someone()];
    await people.watch(ofSite.person, 'site', site);
    await people.watch(ofBarn.person, 'thing', barn);
    await people.watch(ofGateway.person, 'gateway', 'gateway-1');
    await people.watch(ofNothing.person, 'thing', unique('elsewhere'));

    const group = { kind: 'gateway', name: 'gateway-1' } as const;
    await people.notify(notice(newId(), [barn, field, lone], { group }));

    expect(await ofSite.received()).toEqual(['2 things are offline']);
    expect(await ofBarn.received()).toEqual([`${barn} is offline since 2026-11-21 12:00 UTC`]);
    expect(await ofGateway.received()).toEqual(['3 things of gateway-1 are offline']);
    expect(await ofNothing.received()).toEqual([]);
  });

  it('that comes twice is told once; nobody who watches no longer is told', async () => {
    const [mary, sam] = [await someone(), await someone()];
    const thing = unique('twice');
    for (const { person } of [mary, sam]) await people.watch(person, 'thing', thing);
    await people.ask({ action: 'unwatch', person: sam.person, target: { kind: 'thing', name: thing } });
    const twice = notice(newId(), [thing]);

    await people.notify(twice, twice);
    await people.notify(twice);

    expect(await mary.received()).toHaveLength(1);
    expect(await sam.received()).toEqual([]);
  });

  it('is told as the person prefers, also thing by thing', async () => {
    const { person, received } = await someone();
    const [one, other] = [unique('one'), unique('other')];
    for (const thing of [one, other]) await people.watch(person, 'thing', thing);
    const prefer = (preferences: object, thing?: string) =>
      people.ask({ action: 'put-preferences', person, ...(thing !== undefined && { thing }), preferences });
    const until = Date.now() + 10 * 365 * 86_400_000;

    await prefer({ mutedUntil: until }, one);
    await people.notify(notice(newId(), [one, other]));
    expect(await received()).toEqual([`${other} is offline since 2026-11-21 12:00 UTC`]);

    await prefer({ kinds: ['offline'] });
    await people.notify(notice(newId(), [other], { kind: 'online' }));
    await prefer({ mutedUntil: until });
    await people.notify(notice(newId(), [other]));
    expect(await received()).toHaveLength(1);

    await prefer({});
    await people.notify(notice(newId(), [other], { kind: 'online' }));
    expect(await received()).toHaveLength(2);
    expect(await people.ask({ action: 'get-preferences', person })).toEqual({
      ok: true,
      preferences: {},
      things: { [one]: { mutedUntil: until } },
    });
  });

  it.each(['error', 'throttle'] as const)('that SNS refuses once (%s) is told once, later', async (harm) => {
    const { person, received } = await someone();
    const thing = unique(`refused-${harm}`);
    await people.watch(person, 'thing', thing);
    await platform.faults([{ at: 'call', match: { service: 'sns', operation: 'Publish' }, do: harm, times: 1 }]);

    await people.notify(notice(newId(), [thing]));
    expect(await received()).toEqual([]);
    await passWithoutSweeps(platform, HOUR);

    expect((await platform.faultReport()).faults).toMatchObject([{ harmed: 1 }]);
    expect(await received()).toHaveLength(1);
    expect(await people.failures()).toEqual([]);
    await platform.faults([]);
  });

  it('of which SNS took the message and the answer was lost is not told again: it needs a decision, with an alarm', async () => {
    const { person, received } = await someone();
    const thing = unique('lost');
    await people.watch(person, 'thing', thing);
    const { id } = notice(newId(), [thing]);
    await platform.faults([
      { at: 'call', match: { service: 'sns', operation: 'Publish' }, do: 'lose-answer', times: 1 },
    ]);

    await people.notify(notice(id, [thing]));
    await passWithoutSweeps(platform, HOUR);

    expect(await received()).toHaveLength(1);
    expect(await platform.alarmsInAlarm()).toContain(FAILED_ALARM);
    expect(await people.failures()).toMatchObject([{ kind: 'unconfirmed-delivery', noticeId: id, person }]);
    await platform.faults([]);
  });

  it('whose function dies after the claim and before the publish ends in the queue of failures, with an alarm', async () => {
    const [first, second] = [await someone(), await someone()];
    const [thing, other] = [unique('claimed'), unique('another')];
    await people.watch(first.person, 'thing', thing);
    await people.watch(second.person, 'thing', other);
    const { id } = notice(newId(), [thing]);
    const claim = { function: FUNCTION, service: 'dynamodb', operation: 'TransactWriteItems' };
    await platform.faults([{ at: 'call', match: claim, do: 'crash-after', times: 1 }]);

    await people.notify(notice(id, [thing]), notice(newId(), [other]));
    await passWithoutSweeps(platform, HOUR);

    expect((await platform.faultReport()).faults).toMatchObject([{ harmed: 1 }]);
    const failures = await people.failures();
    // Which of both it was depends on the order in which they were received.
    const lost = failures.map(({ noticeId, person }) => `${noticeId} ${person}`);
    const told = [...(await first.received()), ...(await second.received())];
    expect(lost).toHaveLength(1);
    expect(told).toHaveLength(1);
    await platform.faults([]);
  });

  it('that SNS never takes ends as a whole in the queue of failures; when it is moved back it is told', async () => {
    const { person, received } = await someone();
    const thing = unique('never');
    await people.watch(person, 'thing', thing);
    await platform.faults([{ at: 'call', match: { service: 'sns', operation: 'Publish' }, do: 'error' }]);
    const never = notice(newId(), [thing]);

    await people.notify(never);
    await passWithoutSweeps(platform, 2 * HOUR);
    await platform.faults([]);

    expect(await received()).toEqual([]);
    const failures = await people.failures();
    expect(failures).toEqual([never]);
    await people.notify(never);
    expect(await received()).toHaveLength(1);
  });

  it('beyond the limit of the day is not told, but said once; the next day is another', async () => {
    const { person, received } = await someone();
    const thing = unique('flapping');
    await people.watch(person, 'thing', thing);

    for (let n = 0; n < 8; n += 1) await people.notify(notice(newId(), [thing]));

    const messages = await received();
    expect(messages).toHaveLength(DAILY_LIMIT + 1);
    expect(messages.at(-1)).toContain(`You have had ${DAILY_LIMIT} notices today`);
    expect(await platform.alarmsInAlarm()).toContain('thingstead-notifications-over-limit');
    const health = await fetch(`${platform.config.endpoint}/_local/health`);
    const { now } = (await health.json()) as { now: string };
    await passWithoutSweeps(platform, DAY - ((Date.parse(now) / 1000) % DAY) + 60);
    await people.notify(notice(newId(), [thing]));
    expect(await received()).toHaveLength(DAILY_LIMIT + 2);
  });

  it('cannot be held back for a thing that is not there', async () => {
    const request = { action: 'mute-thing', person: 'mary', thing: unique('no-thing'), until: Date.now() + 86_400_000 };
    expect(await people.ask(request)).toMatchObject({ ok: false, error: 'no-such-thing' });
  });
});
