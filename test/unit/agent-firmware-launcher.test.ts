/** The launcher and versions below it as real processes: bad ones, and kills at any moment. */
import { Device, version } from './agent-firmware-processes.ts';

let device: Device;
beforeEach(async () => {
  device = new Device();
  await device.open();
});
afterEach(() => device.close());

describe('the launcher', () => {
  it('starts the version that came with it, then the new one; and goes back from those that are bad', async () => {
    const first = version(1, 'works');
    device.desired = first;
    device.launch();
    await device.until(() => device.endOf(first).length > 0);
    expect(device.endOf(first)).toMatchObject([{ state: 'COMMITTED', by: 1 }]);
    expect(device.good).toBe('a');

    for (const [counter, behaviour, failure, words] of [
      [2, 'exit 3', 'does-not-start', 'ended with 3'],
      [3, 'exec sleep 1000', 'does-not-start', 'did not say for 5 s that it lives'],
      [4, 'offline', 'unhealthy', 'it is not connected to the cloud'],
    ] as const) {
      const bad = version(counter, behaviour);
      device.desired = bad;
      await device.until(() => device.endOf(bad).length > 0);
      expect(device.endOf(bad)).toMatchObject([{ state: 'ROLLED_BACK', by: 1, status: { failure, reason: words } }]);
      expect(device.good).toBe('a');
    }
    expect(device.words.match(/starts b, on trial/g)).toHaveLength(3 + 3 + 1);
  });
});
