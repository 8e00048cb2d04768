/** Commands with the real device agent: given over REST, executed by a program, each once, whatever comes between. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { Command } from '@thingstead/contracts/routes/commands';
import { commandTopic } from '@thingstead/contracts/topics';
import type { AgentProcess } from '../../support/agent-process.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { describeLocally } from '../../support/target.ts';
import { commandsPlatform } from './commands-platform.ts';

const MINUTE = 60;

describeLocally('a clock that can be advanced', 'a command for the real agent', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof commandsPlatform>>;
  let agents: PlatformAgents;
  let mary: Person;
  let folder: string;
  let device: DeviceCertificate;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await commandsPlatform(platform);
    agents = platformAgents(platform);
    mary = await newPerson(platform);
  });
  beforeEach(async () => {
    await mary.refresh();
    folder = mkdtempSync(path.join(tmpdir(), 'thingstead-commands-'));
    device = await on.thing('agent');
    await on.grant(mary, device.thing, 'owner');
  });
  afterEach(async () => {
    await agents.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(async () => {
    agents.remove();
    await platform.stop();
  });

  /** An agent that writes a line for each time that it opens the gate. `slow` is a gate that never is open. */
  function startAgent(): AgentProcess {
    const gate = (name: string, then: string): { readonly run: readonly string[] } => {
      const file = path.join(folder, name);
      writeFileSync(file, `#!/bin/sh\necho "$1" >>"${path.join(folder, 'opened')}"\n${then}\n`);
      chmodSync(file, 0o755);
      return { run: [file, name] };
    };
    return agents.start(device, { commands: { open: gate('open', 'cat'), slow: gate('slow', 'exec sleep 60') } });
  }

  function opened(): readonly string[] {
    const file = path.join(folder, 'opened');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  function becomes(command: Command, state: string): Promise<Command> {
    return platform.soon(async () => {
      const now = await on.read(mary, command);
      expect(now.state).toBe(state);
      return now;
    });
  }

  it('is executed, and the result comes back; one that it does not know is REJECTED', async () => {
    startAgent();
    const open = await on.give(mary, device.thing, { name: 'open', payload: { wide: true } });
    const unknown = await on.give(mary, device.thing, { name: 'format-disk' });

    expect(await becomes(open, 'EXECUTED')).toMatchObject({ result: { wide: true } });
    expect((await becomes(unknown, 'REJECTED')).reason).toContain('"format-disk"');
    expect(opened()).toEqual(['open']);
  });

  it('that was given while it was away is executed when it is back', async () => {
    const given = await on.give(mary, device.thing, { name: 'open', ttlSeconds: 3600 });
    await platform.advance(10 * MINUTE);
    startAgent();

    await becomes(given, 'EXECUTED');
    expect(opened()).toEqual(['open']);
  });

  it('that came to its end while it was away is EXPIRED once, and never executed', async () => {
    const late = await on.give(mary, device.thing, { name: 'open', ttlSeconds: MINUTE });
    await platform.advance(2 * MINUTE);
    startAgent();
    const next = await on.give(mary, device.thing, { name: 'open' });

    await becomes(next, 'EXECUTED');
    await becomes(late, 'EXPIRED');
    expect(await on.changes(late, 'EXPIRED')).toBe(1);
    expect(opened()).toEqual(['open']);
  });

  it('is executed once although it comes five times and the agent is started again', async () => {
    const first = startAgent();
    const given = await on.give(mary, device.thing, { name: 'open' });
    const done = await becomes(given, 'EXECUTED');
    const data = new IoTDataPlaneClient(platform.config);
    const { id, name, expiresAt } = given;
    const payload = Buffer.from(JSON.stringify({ id, name, payload: null, expiresAt }));
    const again = (): Promise<unknown> =>
      data.send(new PublishCommand({ topic: commandTopic(device.thing, id), qos: 1, payload }));

    for (let copy = 0; copy < 4; copy += 1) await again();
    first.process.kill('SIGKILL');
    await first.exited;
    startAgent();
    const next = await on.give(mary, device.thing, { name: 'open' });
    await becomes(next, 'EXECUTED');
    await again();
    await becomes(await on.give(mary, device.thing, { name: 'open' }), 'EXECUTED');

    expect(opened()).toEqual(['open', 'open', 'open']);
    expect(await on.read(mary, given)).toEqual(done);
    expect(await on.changes(given, 'EXECUTED')).toBe(1);
  });

  it('in the middle of which it is killed is never EXECUTED: nobody knows whether it was done', async () => {
    const first = startAgent();
    const given = await on.give(mary, device.thing, { name: 'slow' });
    await becomes(given, 'DELIVERED');
    await platform.soon(async () => expect(opened()).toEqual(['slow']));
    first.process.kill('SIGKILL');
    await first.exited;
    expect((await on.read(mary, given)).state).toBe('DELIVERED');

    startAgent();

    expect((await becomes(given, 'FAILED')).reason).toContain('nobody knows whether it was done');
    expect(opened()).toEqual(['slow']);
  });
});
