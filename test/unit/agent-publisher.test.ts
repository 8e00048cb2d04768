/** What becomes of messages that the cloud does not take, one flush after the other. */
import { MemoryOutbox } from '../../device/src/memory-outbox.ts';
import { Publisher } from '../../device/src/publisher.ts';
import type { PublishOutcome } from '../../device/src/session.ts';
import { FakeSession, keptLog } from './agent-session.ts';

const TAKEN: PublishOutcome = { kind: 'acknowledged' };
const TROUBLE: PublishOutcome = { kind: 'refused', reasonCode: 0x83, reason: 'ImplementationSpecificError' };
const QUOTA: PublishOutcome = { kind: 'refused', reasonCode: 0x97, reason: 'QuotaExceeded' };

function open(answer: (sensor: string) => PublishOutcome) {
  const outbox = new MemoryOutbox('session', 1_000);
  const log = keptLog();
  const publisher = new Publisher({ outbox, log, topicOf: (sensor) => sensor });
  const session = new FakeSession('session');
  session.onPublish = ({ topic }) => answer(topic);
  /** Minute after minute: a reading of each sensor, and a flush. */
  const pass = async (minutes: number, ...sensors: readonly string[]): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      for (const sensor of sensors) outbox.put(sensor, { value: minute });
      await publisher.flush(session);
    }
  };
  return { outbox, log, pass };
}

describe('readings that the cloud does not take for a while', () => {
  it.each([
    ['its quota is full', QUOTA],
    ['it is in trouble', TROUBLE],
  ])('wait while %s, however long that lasts, and are all delivered then', async (_what, refusal) => {
    let answer: PublishOutcome = refusal;
    const { outbox, pass } = open(() => answer);
    await pass(500, 'level', 'temperature');
    expect(outbox).toMatchObject({ size: 1_000, setAsideReadings: 0, dropped: 0 });

    answer = TAKEN;
    await pass(1);

    expect(outbox).toMatchObject({ size: 0, setAsideReadings: 0, dropped: 0 });
  });

  it('wait when the quota is full for some of them only', async () => {
    const { outbox, pass } = open((sensor) => (sensor === 'level' ? QUOTA : TAKEN));
    await pass(100, 'level', 'temperature');

    expect(outbox).toMatchObject({ setAsideReadings: 0, dropped: 0 });
  });
});

it('a message over which the server stumbles again and again, while it takes others, is set aside', async () => {
  const { outbox, log, pass } = open((sensor) => (sensor === 'poison' ? TROUBLE : TAKEN));
  await pass(1, 'poison');
  await pass(30, 'level');

  expect(outbox).toMatchObject({ size: 0, setAsideReadings: 1 });
  expect(log.lines.filter(({ event }) => event === 'telemetry.set_aside')).toMatchObject([{ sensor: 'poison' }]);
});
