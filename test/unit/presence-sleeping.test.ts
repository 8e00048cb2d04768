/** A thing that sleeps, of which that is known only after it has disconnected for the first time. */
import { PresenceWorld } from './presence-world.ts';

const MINUTE = 60_000;
const THING = 'probe';

it('has no outage by its disconnection, and one by its silence', async () => {
  const world = new PresenceWorld(undefined, { thingTypes: { probe: { expectedIntervalSeconds: 7200 } } });
  world.act(THING, 'connect');
  await world.run(1000);
  world.act(THING, 'end');
  await world.run(1000);
  expect(world.presence(THING)?.outage).toBeDefined();

  world.describe(THING, { thingType: 'probe' });
  await world.run(20 * MINUTE);

  expect(world.notices).toEqual([]);
  expect(world.presence(THING)?.outage).toBeUndefined();

  await world.run(110 * MINUTE);
  world.send({ kind: 'sweep' });
  await world.run(MINUTE);

  expect(world.notices).toMatchObject([{ kind: 'offline', things: [{ thing: THING }] }]);
});
