/** The example `examples/doorbell`: a message of a device becomes a mail. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMqttThing } from '../../support/mqtt-thing.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';
import { describeLocally } from '../../support/target.ts';

const root = path.resolve(__dirname, '../../..');

describeLocally('a runtime with another template', 'the doorbell', () => {
  const assembly = mkdtempSync(path.join(tmpdir(), 'thingstead-doorbell-'));
  let runtime: Runtime | undefined;

  afterAll(async () => {
    await runtime?.stop();
    rmSync(assembly, { recursive: true });
  });

  function synthesize(context: Readonly<Record<string, string>>) {
    return spawnSync(process.execPath, ['examples/doorbell/app.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CDK_OUTDIR: assembly, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
  }

  it('asks who is to be told', () => {
    const { status, stderr } = synthesize({});
    expect([status, stderr]).toEqual([1, expect.stringContaining('doorbell:email')]);
  });

  it('that rings is a mail to whoever has confirmed', async () => {
    expect(synthesize({ 'doorbell:email': 'mary@farm.example' })).toMatchObject({ status: 0 });
    runtime = await startRuntime({ assembly });
    // The mail that asks for consent may still be on its way.
    await runtime.advance(0);
    const [confirmation] = await runtime.outbox();
    expect((await fetch(confirmation?.details.subscribeUrl ?? '')).status).toBe(200);
    const bell = await (await createMqttThing(runtime, 'bell')).connect();

    await bell.publishAsync('doorbell/front', '{"pressed":true}', { qos: 1 });
    await runtime.advance(0);
    await bell.endAsync();

    expect((await runtime.outbox()).slice(1)).toMatchObject([
      { channel: 'email', destination: 'mary@farm.example', message: 'Somebody is at the front door.' },
    ]);
  });
});
