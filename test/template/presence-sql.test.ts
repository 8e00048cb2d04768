/** What the presence rules make of events and shadows, by the local runtime's IoT SQL. */
import { lifeCycleSql, shadowReportSql } from '../../lib/presence-sql.ts';
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import { RuleMessage } from '../../local/src/services/iot/rules/sql/rule-message.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');

/** What goes to the queue; undefined: the rule does not act. */
async function selected(sql: readonly string[], topic: string, payload: unknown): Promise<unknown> {
  const message = new RuleMessage({
    topic,
    payload: Buffer.from(JSON.stringify(payload)),
    qos: 1,
    retain: false,
    properties: {},
    clientId: undefined,
    principal: undefined,
    sourceIp: undefined,
    receivedAt: NOW,
    traceId: '7d1c0c1a-6f2e-4c59-8a55-3f0c1b0f6a11',
  });
  const outcome = await compileStatement(sql.join('\n')).evaluate(message, {
    accountId: '123456789012',
    callExternal: () => Promise.reject(),
  });
  return outcome.kind === 'selected' ? JSON.parse(outcome.payload.text) : undefined;
}

describe('a life-cycle event', () => {
  const CERTIFICATE = 'a'.repeat(64);
  const event = {
    clientId: 'macdonald-1',
    timestamp: NOW,
    eventType: 'disconnected',
    sessionIdentifier: '00000000-0000-0000-0000-000000000000',
    principalIdentifier: CERTIFICATE,
    clientInitiatedDisconnect: false,
    disconnectReason: 'CONNECTION_LOST',
    versionNumber: 7,
    ipAddress: '192.0.2.1',
  };
  const select = (changes: Readonly<Record<string, unknown>>, recordIpAddress = false): Promise<unknown> =>
    selected(lifeCycleSql({ recordIpAddress }), '$aws/events/presence/disconnected/x', { ...event, ...changes });

  it('of a device goes to the queue, with its address only if that is wanted', async () => {
    const wanted = {
      kind: 'life-cycle',
      thing: 'macdonald-1',
      eventType: 'disconnected',
      session: event.sessionIdentifier,
      version: 7,
      at: NOW,
      reason: 'CONNECTION_LOST',
    };
    expect(await select({})).toEqual(wanted);
    expect(await select({}, true)).toEqual({ ...wanted, ipAddress: '192.0.2.1' });
  });

  it.each([
    ['a person in an app', { principalIdentifier: 'AROAEXAMPLE:CognitoIdentityCredentials' }],
    ['an operator', { principalIdentifier: 'AIDAEXAMPLEUSER' }],
    ['a client that names no principal', { principalIdentifier: undefined }],
    ['a client whose name is that of no thing', { clientId: 'iotconsole-1:2' }],
    ['another event', { eventType: 'connect_failed' }],
  ])('of %s does not', async (_, changes) => {
    expect(await select(changes)).toBeUndefined();
  });
});

describe('an update of a shadow', () => {
  type Reported = Readonly<Record<string, unknown>> | undefined;
  const select = (before: Reported, now: Reported): Promise<unknown> =>
    selected(shadowReportSql(), '$aws/things/macdonald-1/shadow/update/documents', {
      ...(before && { previous: { state: { reported: before }, version: 3 } }),
      current: { state: { reported: now }, version: 4 },
      timestamp: NOW / 1000,
    });
  const report = { kind: 'shadow', thing: 'macdonald-1', version: 4, at: NOW };

  it.each<[string, Reported, Reported, object]>([
    ['the first', undefined, { connected: true, session: 'a' }, { connected: true, session: 'a' }],
    ['the first without a session', undefined, { connected: true }, { connected: true }],
    [
      'the first word about the connection',
      { colour: 'red' },
      { connected: true, session: 'a' },
      { connected: true, session: 'a' },
    ],
    [
      'another word',
      { connected: true, session: 'a' },
      { connected: false, session: 'a' },
      { connected: false, session: 'a' },
    ],
    ['another word without a session', { connected: true }, { connected: false }, { connected: false }],
    [
      'another session',
      { connected: true, session: 'a' },
      { connected: true, session: 'b' },
      { connected: true, session: 'b' },
    ],
    [
      'a session where there was none',
      { connected: true },
      { connected: true, session: 'b' },
      { connected: true, session: 'b' },
    ],
  ])('goes to the queue: %s', async (_, before, now, wanted) => {
    expect(await select(before, now)).toEqual({ ...report, ...wanted });
  });

  it.each<[string, Reported, Reported]>([
    ['the same again', { connected: true, session: 'a' }, { connected: true, session: 'a', colour: 'red' }],
    ['the same again, without a session', { connected: true }, { connected: true, colour: 'red' }],
    ['nothing about the connection', undefined, { colour: 'red' }],
    ['nothing reported', undefined, undefined],
    ['what is no boolean', { connected: true }, { connected: 'yes' }],
  ])('does not: %s', async (_, before, now) => {
    expect(await select(before, now)).toBeUndefined();
  });
});
