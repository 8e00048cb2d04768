/** A device asks for the image that it was offered: what it gets holds for it, now, and nobody else gets it. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { FirmwareAnswer } from '@thingstead/contracts/firmware';
import { imageKey } from '@thingstead/contracts/firmware-store';
import { rolloutKey } from '@thingstead/contracts/rollout-store';
import type { Release } from '@thingstead/contracts/routes/firmware';
import { firmwareTopic } from '@thingstead/contracts/topics';
import { checkRelease } from '@thingstead/crypto/firmware-release';
import { acceptTrust } from '@thingstead/crypto/firmware-trust';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { keyPair } from '../../unit/firmware-keys.ts';
import { type FirmwarePlatform, firmwarePlatform, HARDWARE, newAttempt, newNonce } from './firmware-platform.ts';

type Grant = Extract<FirmwareAnswer, { type: 'grant' }>;

const IMAGE = Buffer.from('an image that is worth its bytes');

describeLocally('a chain of trust of its own', 'a device that asks for firmware', () => {
  let platform: Platform;
  let on: FirmwarePlatform;
  let released: Release;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await firmwarePlatform(platform);
    await on.trust(on.trustOf(1), on.releaseKeys[0]);
    released = await on.release({ image: IMAGE, counter: 4 });
  });
  beforeEach(() => on.operator.refresh());
  afterAll(() => platform.stop());

  async function device() {
    return on.connect(await on.thing());
  }

  /** As a device verifies it, when the platform's clock says so. */
  function check(grant: Grant, asked: { thing: string; attempt: string; nonce: string }) {
    return checkRelease({
      ...{ trust: on.trustOf(1), assignment: grant.assignment, release: grant.release, asked },
      device: { product: 'greenhouse', hardwareRevision: HARDWARE, counter: 1, highestCounter: 1 },
      now: grant.expiresAt - 60_000,
    });
  }

  it('gets the release that it was offered, signed for it and for this request', async () => {
    const fan = await device();
    const attempt = await on.offer(fan.thing, released);
    const nonce = newNonce();
    const grant = await fan.isGranted(attempt, nonce);

    const asked = { thing: fan.thing, attempt, nonce };
    expect(check(grant, asked)).toMatchObject({ ok: true, manifest: { counter: 4, size: IMAGE.length } });
    expect(check(grant, { ...asked, nonce: newNonce() })).toMatchObject({ failure: 'freeze' });
    expect(check(grant, { ...asked, thing: 'another' })).toMatchObject({ failure: 'mix-and-match' });

    const whole = await fetch(grant.url);
    expect([whole.status, whole.headers.get('etag')]).toEqual([200, grant.etag]);
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(IMAGE);
    const part = await fetch(grant.url, { headers: { range: 'bytes=10-', 'if-match': grant.etag } });
    expect([part.status, await part.text()]).toEqual([206, IMAGE.toString().slice(10)]);
  });

  it('gets the image that was released, whatever lies in the bucket now, until the URL ends', async () => {
    const fan = await device();
    const pinned = await on.release({ product: 'pinned', image: IMAGE });
    const attempt = await on.offer(fan.thing, pinned);
    await on.s3.send(new PutObjectCommand({ Bucket: on.Bucket, Key: imageKey('pinned', 1), Body: 'evil' }));
    const { url } = await fan.isGranted(attempt);

    expect(await (await fetch(url)).text()).toBe(IMAGE.toString());
    expect((await fetch(url.replace(/versionId=[^&]*&?/, ''))).status).toBe(403);
    await platform.advance(301);
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch((await fan.isGranted(attempt)).url)).status).toBe(200);
  });

  it('gets nothing for an attempt that is not its own, or not in force', async () => {
    const [fan, pump] = [await device(), await device()];
    const ofPump = await on.offer(pump.thing, released);
    const before = await on.offer(fan.thing, released);
    const inForce = await on.offer(fan.thing, released);
    const refused = async (attempt: string) => {
      const { verdict, answer } = await fan.asks(attempt, { type: 'grant', nonce: newNonce() });
      const unknown = expect.objectContaining({ code: 'unknown-attempt', retry: false });
      expect([verdict, answer]).toEqual(['rejected', unknown]);
    };

    for (const attempt of [ofPump, before, newAttempt()]) await refused(attempt);
    await fan.isGranted(inForce);
    await refused(await on.offer(fan.thing, released, { state: 'ENDED' }));
  });

  it('cannot ask, or listen, in the name of another', async () => {
    const [fan, pump] = [await device(), await device()];
    const attempt = await on.offer(pump.thing, released);
    const topic = firmwareTopic(pump.thing, attempt);

    expect(await fan.client.trySubscribe(`${topic}/accepted`)).not.toBe('accepted');
    const again = await on.connect(await on.thing());
    expect(await again.client.tryPublish(topic, JSON.stringify({ type: 'grant', nonce: newNonce() }))).not.toBe(
      'accepted',
    );
  });

  it('is told why: yanked, expired, paused, aborted', async () => {
    const certificate = await on.thing();
    let fan = await on.connect(certificate);
    const yanked = await on.release({ product: 'yanked', image: IMAGE });
    const expiring = await on.release({ product: 'expiring', image: IMAGE, expiresAt: Date.now() + 1_000_000 });
    const of = async (release: Release, state?: string) => {
      if (state === undefined) return on.offer(fan.thing, release);
      const id = newAttempt();
      await on.putRow({ ...rolloutKey(id), id, ...rolloutRow(release, state) });
      return on.offer(fan.thing, release, { rollout: id });
    };
    const told = async (attempt: string) => {
      const { answer } = await fan.asks(attempt, { type: 'grant', nonce: newNonce() });
      return 'code' in answer ? [answer.code, answer.retry] : answer.type;
    };

    expect(await told(await of(released, 'RUNNING'))).toBe('grant');
    expect(await told(await of(released, 'PAUSED'))).toEqual(['paused', true]);
    expect(await told(await of(released, 'ABORTED'))).toEqual(['wrong-state', false]);
    const attempt = await of(yanked);
    expect(await told(attempt)).toBe('grant');
    await on.operator.api.yankRelease({ params: { product: 'yanked', counter: '1' }, body: { reason: 'it burns' } });
    expect(await told(attempt)).toEqual(['yanked', false]);
    const late = await of(expiring);
    await platform.advance(1001);
    // The broker does not keep a client that was silent for so long.
    fan = await on.connect(certificate);
    expect(await told(late)).toEqual(['expired', false]);
  });

  it('is told that it speaks nonsense, and operators are', async () => {
    const fan = await device();
    const attempt = newAttempt();
    const nonsense = ['no JSON', '{}', '{"type":"grant"}', '{"type":"grant","nonce":"short"}', '{"type":"running"}'];
    for (const each of nonsense) {
      const { answer } = await fan.asks(attempt, each);
      expect(answer).toMatchObject({ code: 'invalid', retry: false });
    }
    await platform.soon(async () => {
      const lines = (await platform.functionLog('firmware-devices', fan.thing)).split('\n');
      expect(lines.filter((line) => line.includes('firmware.message_refused'))).toHaveLength(nonsense.length);
    });
  });

  it('says what it runs: its row, the registry and the lists have it, the latest word last', async () => {
    const fan = await device();
    const said = { product: 'greenhouse', hardwareRevision: HARDWARE, version: '1.0.3', counter: 3, trustVersion: 1 };
    expect((await fan.runs(said)).verdict).toBe('accepted');
    expect(await on.deviceRow(fan.thing)).toMatchObject({ running: said });
    expect(await platform.thingRow(fan.thing)).toMatchObject({ firmwareVersion: '1.0.3', firmwareCounter: 3 });

    // An offer and what runs stand in one row.
    const attempt = await on.offer(fan.thing, released);
    expect((await fan.runs({ ...said, version: '1.0.4', counter: 4 })).verdict).toBe('accepted');
    expect(await on.deviceRow(fan.thing)).toMatchObject({ running: { counter: 4 }, attempt, state: 'OFFERED' });
  });

  it('gets the trust documents that it lacks, with which the newest release can be verified', async () => {
    const fan = await device();
    const [next, last] = [keyPair(), keyPair()];
    const [second, third] = [
      on.trustOf(2, { releaseKeys: [next.publicKey] }),
      on.trustOf(3, { releaseKeys: [last.publicKey] }),
    ];
    await on.trust(second, on.releaseKeys[0], next);
    await on.trust(third, next, last);
    const newest = await on.release({ counter: 5, image: IMAGE, keys: [last] });
    const attempt = await on.offer(fan.thing, newest);

    const nonce = newNonce();
    const { trust, assignment, release, expiresAt } = await fan.isGranted(attempt, nonce);
    const chain = trust.reduce((known, document) => {
      const accepted = acceptTrust(known, document);
      if (!accepted.ok) throw new Error(accepted.reason);
      return accepted.trust;
    }, on.trustOf(1));
    expect(chain).toEqual(third);
    const now = expiresAt - 60_000;
    const running = { product: 'greenhouse', hardwareRevision: HARDWARE, counter: 4, highestCounter: 4 };
    const asked = { thing: fan.thing, attempt, nonce };
    expect(checkRelease({ trust: chain, assignment, release, asked, device: running, now })).toMatchObject({
      ok: true,
    });

    await fan.runs({ version: '1.0.4', counter: 4, trustVersion: 2 });
    expect((await fan.isGranted(attempt)).trust).toHaveLength(1);
    await fan.runs({ version: '1.0.4', counter: 4, trustVersion: 3 });
    expect((await fan.isGranted(attempt)).trust).toEqual([]);
  });
});

/** The members that the row of a rollout has besides its id. */
function rolloutRow(
  { product, version, counter, size, hardwareRevisions, minimumCounter, expiresAt }: Release,
  state: string,
) {
  const at = Date.now();
  return {
    release: { product, version, counter, size, hardwareRevisions, minimumCounter, expiresAt },
    settings: {},
    state,
    ...{ createdAt: at, createdBy: 'somebody', changedAt: at, nextTickAt: at },
    listed: { list: 0, name: '' },
    allowance: { starts: 0, at },
    ...{ wave: 0, cursor: '', tick: 0, events: 0, started: 0, revision: 0 },
  };
}
