/** The device agent as it is installed: what row and shadow say of it, however it comes and goes. */
import { IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import type { AgentProcess } from '../../support/agent-process.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

const KEEP_ALIVE_SECONDS = 30;
let platform: Platform;
let broker: IoTDataPlaneClient;
let ca: CertificateAuthority;
let agents: PlatformAgents;

beforeAll(async () => {
  platform = await startPlatform();
  broker = new IoTDataPlaneClient(platform.config);
  ca = await createCa(unique('agent-presence'));
  await platform.registerCa(ca);
  agents = platformAgents(platform);
});
afterEach(() => agents.kill());
afterAll(async () => {
  agents.remove();
  await platform.stop();
});

async function device(name: string): Promise<DeviceCertificate> {
  const issued = await issue(ca, unique(`macdonald-${name}`));
  await platform.join(issued);
  return issued;
}

function startAgent(own: DeviceCertificate): AgentProcess {
  return agents.start(own, { keepAliveSeconds: KEEP_ALIVE_SECONDS });
}

/** Row and shadow say the same. */
async function bothSay(thing: string, presence: Readonly<Record<string, unknown>>): Promise<void> {
  const { connected } = presence;
  await platform.soon(async () => {
    expect((await platform.thingRow(thing))?.presence).toMatchObject(presence);
    expect(await platform.shadow(thing)).toMatchObject({ state: { reported: { connected } } });
  });
}

/** The broker knows that the connection is gone; what comes of that comes after. */
async function brokerHasLost(clientId: string): Promise<void> {
  while (await platform.isConnected(clientId));
}

/** What the row has said, one after the other. */
async function changesOfRow(thing: string): Promise<readonly unknown[]> {
  const lines = (await platform.functionLog('presence', thing)).split('\n').filter(Boolean);
  const events = lines.map((line) => JSON.parse(line));
  return events.filter((each) => each.message === 'presence.changed').map(({ connected }) => connected);
}

describe('the agent', () => {
  it('is connected when it has connected, and not after SIGTERM: it says so itself, and no last will is needed', async () => {
    const own = await device('goodbye');
    const { thing } = own;
    const agent = startAgent(own);
    const { session } = await agent.seen('presence.reported');
    await bothSay(thing, { connected: true });
    expect(await platform.shadow(thing)).toMatchObject({ state: { reported: { session, firmwareVersion: '0.0.0' } } });

    agent.process.kill('SIGTERM');

    expect(await agent.exited).toMatchObject({ code: 0 });
    await bothSay(thing, { connected: false, reason: 'CLIENT_INITIATED_DISCONNECT' });
    expect(await platform.shadow(thing)).toMatchObject({ state: { reported: { session } } });
  });

  it('is not connected after kill -9: by its last will and the life-cycle event', async () => {
    const own = await device('killed');
    const agent = startAgent(own);
    await agent.seen('presence.reported');
    await bothSay(own.thing, { connected: true });

    agent.process.kill('SIGKILL');
    await agent.exited;
    await brokerHasLost(own.thing);

    await bothSay(own.thing, { connected: false, reason: 'CONNECTION_LOST' });
  });

  it('stays connected when another client takes over with its certificate, and when it takes over again', async () => {
    const own = await device('twins');
    const agent = startAgent(own);
    await agent.seen('presence.reported');
    await bothSay(own.thing, { connected: true });
    const before = await changesOfRow(own.thing);
    expect(before.at(-1)).toBe(true);

    const payload = Buffer.from('{"session":"another"}');
    const other = await platform.connect(own, { will: { topic: `device/${own.thing}/lwt/v1`, payload, qos: 1 } });
    const otherIsOut = new Promise<void>((resolve) => other.once('close', () => resolve()));
    await agent.seen('connection.taken_over');
    await otherIsOut;
    const { session } = await agent.seen('presence.reported', 2);

    await bothSay(own.thing, { connected: true });
    expect(await platform.shadow(own.thing)).toMatchObject({ state: { reported: { session } } });
    expect(await changesOfRow(own.thing)).toEqual(before);
  });

  it('says again that it is connected when the shadow was made to say otherwise', async () => {
    const own = await device('contradicted');
    const agent = startAgent(own);
    await agent.seen('presence.reported');

    const payload = Buffer.from(JSON.stringify({ state: { reported: { connected: false } } }));
    await broker.send(new UpdateThingShadowCommand({ thingName: own.thing, payload }));
    await agent.seen('presence.contradicted');
    await agent.seen('presence.reported', 2);

    await bothSay(own.thing, { connected: true });
  });
});

describeLocally('a network that dies without a word', 'the agent', () => {
  it('is not connected when its keep-alive time has passed one and a half times, and is when it comes back', async () => {
    const own = await device('silenced');
    const agent = startAgent(own);
    await agent.seen('presence.reported');
    await bothSay(own.thing, { connected: true });

    await platform.faults([{ at: 'connection', do: 'silence', match: { clientId: own.thing }, now: true }]);
    await platform.advance(KEEP_ALIVE_SECONDS * 1.5 - 1);
    await bothSay(own.thing, { connected: true });
    await platform.advance(2);

    await bothSay(own.thing, { connected: false, reason: 'MQTT_KEEP_ALIVE_TIMEOUT' });

    agent.process.kill('SIGKILL');
    await agent.exited;
    await startAgent(own).seen('presence.reported');
    await bothSay(own.thing, { connected: true });
  });
});
