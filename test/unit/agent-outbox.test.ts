import fc from 'fast-check';
import { MemoryOutbox } from '../../device/src/memory-outbox.ts';
import type { OutboxMessage } from '../../device/src/outbox.ts';

const bodyOf = (message: OutboxMessage): { id: string; readings: { value: number }[] } =>
  JSON.parse(message.payload.toString());

describe('the outbox in memory', () => {
  it('puts the readings of one sensor into one message, the oldest sensor first', () => {
    const outbox = new MemoryOutbox('s', 100);
    outbox.put('b', { value: 1, time: 10 });
    outbox.put('a', { value: 2, time: 11 });
    outbox.put('b', { value: 3, time: 12, unit: 'Cel' });

    const messages = [outbox.take(), outbox.take(), outbox.take()];

    expect(messages.map((each) => each && { sensor: each.sensor, ...bodyOf(each) })).toEqual([
      {
        sensor: 'b',
        id: 's-1',
        readings: [
          { value: 1, time: 10 },
          { value: 3, time: 12, unit: 'Cel' },
        ],
      },
      { sensor: 'a', id: 's-2', readings: [{ value: 2, time: 11 }] },
      undefined,
    ]);
  });

  it('keeps a message below the 5 KB that AWS IoT meters', () => {
    const outbox = new MemoryOutbox('session-id-of-some-length', 1000);
    for (let time = 0; time < 500; time += 1)
      outbox.put('x', { value: Math.PI, time: 1795262722828 + time, unit: 'Cel' });

    const messages: OutboxMessage[] = [];
    for (let message = outbox.take(); message; message = outbox.take()) messages.push(message);

    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) expect(message.payload.length).toBeLessThan(5 * 1024);
    expect(messages.reduce((sum, each) => sum + each.readings, 0)).toBe(500);
  });

  it('drops the oldest readings when it is full, and counts them', () => {
    const outbox = new MemoryOutbox('s', 3);
    for (let value = 1; value <= 5; value += 1) outbox.put('x', { value });

    const message = outbox.take();

    expect(outbox.dropped).toBe(2);
    expect(message && bodyOf(message).readings).toEqual([{ value: 3 }, { value: 4 }, { value: 5 }]);
  });

  it('never drops what is in flight', () => {
    const outbox = new MemoryOutbox('s', 2);
    outbox.put('x', { value: 1 });
    outbox.put('x', { value: 2 });
    const flying = outbox.take();
    outbox.put('x', { value: 3 });

    expect(flying?.readings).toBe(2);
    expect(outbox.dropped).toBe(1);
    if (flying) outbox.acknowledge(flying);
    expect(outbox.size).toBe(0);
  });

  it('accounts for every reading, whatever happens: waiting, acknowledged, dropped or set aside; ids never change', () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('put' as const), sensor: fc.constantFrom('a', 'b', 'c') }),
      },
      fc.record({
        kind: fc.constantFrom('take' as const, 'acknowledge' as const, 'putBack' as const, 'setAside' as const),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (steps, max) => {
        const outbox = new MemoryOutbox('s', max);
        const flying: OutboxMessage[] = [];
        const payloads = new Map<string, string>();
        let put = 0;
        let acknowledged = 0;
        for (const each of steps) {
          if (each.kind === 'put') {
            put += 1;
            outbox.put(each.sensor, { value: put });
          } else if (each.kind === 'take') {
            const message = outbox.take();
            if (!message) continue;
            flying.push(message);
            expect(payloads.get(message.id) ?? message.payload.toString()).toBe(message.payload.toString());
            payloads.set(message.id, message.payload.toString());
          } else {
            const message = flying.shift();
            if (!message) continue;
            outbox[each.kind](message);
            if (each.kind === 'acknowledge') acknowledged += message.readings;
          }
          expect(put).toBe(outbox.size + acknowledged + outbox.dropped + outbox.setAsideReadings);
        }
      }),
    );
  });
});
