/** Which request a policy allows (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html). */
import { X509Certificate } from 'node:crypto';
import type { PolicyStatement } from '../../local/src/iam/policy-document.ts';
import type { StoredCertificate } from '../../local/src/services/iot/certificates/certificate-store.ts';
import { createCa, issue } from '../support/certificates.ts';
import { ARN, PolicyFixture, type Question } from './iot-policy-fixture.ts';

/** A session of a role of the account. */
const SESSION = {
  kind: 'role',
  arn: 'arn:aws:sts::123456789012:assumed-role/person/web',
  accountId: '123456789012',
  roleArn: 'arn:aws:iam::123456789012:role/person',
  roleName: 'person',
  sessionName: 'web',
} as const;

const SUBJECT = 'CN=lamp, C=DE, OU=first, OU=second, O=A\\, B';

let pem: string;
let odd: string;
let fixture: PolicyFixture;
let certificate: StoredCertificate;

beforeAll(async () => {
  const ca = await createCa('Policy CA');
  pem = (await issue(ca, 'lamp', { subject: SUBJECT })).pem;
  odd = (await issue(ca, 'odd', { subject: 'CN=a*b' })).pem;
});

beforeEach(() => {
  fixture = new PolicyFixture();
  certificate = fixture.certificate(pem);
});

function allow(Action: string | string[], Resource: string | string[], more: object = {}): PolicyStatement {
  return { Effect: 'Allow', Action, Resource, ...more };
}

function deny(Action: string, Resource: string, more: object = {}): PolicyStatement {
  return { Effect: 'Deny', Action, Resource, ...more };
}

const publish = (topic: string, more: Partial<Question> = {}): Question => ({
  action: 'iot:Publish',
  resource: `topic/${topic}`,
  ...more,
});
const subscribe = (filter: string): Question => ({ action: 'iot:Subscribe', resource: `topicfilter/${filter}` });
const connect = (clientId: string, more: Partial<Question> = {}): Question => ({
  action: 'iot:Connect',
  resource: `client/${clientId}`,
  clientId,
  ...more,
});

/** As a policy writes it. */
const variable = (name: string) => `\${${name}}`;
const THING = variable('iot:Connection.Thing.ThingName');
const CLIENT = variable('iot:ClientId');

describe('patterns', () => {
  const cases: readonly [what: string, statements: readonly PolicyStatement[], question: Question, allowed: boolean][] =
    [
      ['nothing allows', [], publish('a'), false],
      ['the exact topic', [allow('iot:Publish', `${ARN}:topic/a/b`)], publish('a/b'), true],
      ['another topic', [allow('iot:Publish', `${ARN}:topic/a/b`)], publish('a/c'), false],
      ['topics differ in case', [allow('iot:Publish', `${ARN}:topic/A`)], publish('a'), false],
      ['* crosses levels', [allow('iot:Publish', `${ARN}:topic/a/*`)], publish('a/b/c'), true],
      ['* takes nothing', [allow('iot:Publish', `${ARN}:topic/a*`)], publish('a'), true],
      ['? takes one character', [allow('iot:Publish', `${ARN}:topic/a?c`)], publish('a/c'), true],
      ['? does not take two', [allow('iot:Publish', `${ARN}:topic/a?c`)], publish('abbc'), false],
      ['+ is a plain character', [allow('iot:Publish', `${ARN}:topic/a/+/c`)], publish('a/b/c'), false],
      ['# is a plain character', [allow('iot:Publish', `${ARN}:topic/a/#`)], publish('a/b'), false],
      ['the filter as it is written', [allow('iot:Subscribe', `${ARN}:topicfilter/a/+/#`)], subscribe('a/+/#'), true],
      ['a filter within *', [allow('iot:Subscribe', `${ARN}:topicfilter/a/*`)], subscribe('a/#'), true],
      ['a wider filter', [allow('iot:Subscribe', `${ARN}:topicfilter/a/*`)], subscribe('#'), false],
      ['topic is not topicfilter', [allow('iot:Subscribe', `${ARN}:topic/a`)], subscribe('a'), false],
      ['another action', [allow('iot:Subscribe', `${ARN}:topic/a`)], publish('a'), false],
      ['iot:*', [allow('iot:*', '*')], publish('a'), true],
      ['another account', [allow('iot:*', 'arn:aws:iot:us-east-1:999999999999:topic/a')], publish('a'), false],
      ['any region and account', [allow('iot:Publish', 'arn:aws:iot:*:*:topic/a')], publish('a'), true],
      ['one resource of several', [allow('iot:Publish', [`${ARN}:topic/x`, `${ARN}:topic/a`])], publish('a'), true],
      ['an escaped star is a plain star', [allow('iot:Publish', `${ARN}:topic/${variable('*')}`)], publish('a'), false],
      ['an escaped star matches a star', [allow('iot:Publish', `${ARN}:topic/${variable('*')}`)], publish('*'), true],
      ['Deny wins', [allow('iot:*', '*'), deny('iot:Publish', `${ARN}:topic/a`)], publish('a'), false],
      ['Deny of something else', [allow('iot:*', '*'), deny('iot:Publish', `${ARN}:topic/b`)], publish('a'), true],
      [
        // The trap of pub-sub-policy: the wildcard of the filter is no wildcard of the policy.
        'a Deny below does not stop the wide filter',
        [allow('iot:Subscribe', `${ARN}:topicfilter/a/*`), deny('iot:Subscribe', `${ARN}:topicfilter/a/secret/*`)],
        subscribe('a/#'),
        true,
      ],
      [
        'NotResource',
        [{ Effect: 'Allow', Action: 'iot:Publish', NotResource: `${ARN}:topic/secret/*` }],
        publish('secret/a'),
        false,
      ],
      [
        'a Deny with NotAction',
        [allow('iot:*', '*'), { Effect: 'Deny', NotAction: 'iot:Connect', Resource: '*' }],
        publish('a'),
        false,
      ],
    ];

  it.each(cases)('%s', (_what, statements, question, allowed) => {
    // GIVEN
    if (statements.length > 0) fixture.attach(certificate, ...statements);
    // WHEN / THEN
    expect(fixture.allows(certificate, question)).toBe(allowed);
  });

  it('unites all attached policies', () => {
    // GIVEN
    for (const topic of ['a', 'b']) {
      const text = JSON.stringify({ Version: '2012-10-17', Statement: allow('iot:Publish', `${ARN}:topic/${topic}`) });
      fixture.policies.attach(fixture.policies.create(topic, text), certificate.arn);
    }
    // WHEN / THEN
    expect(['a', 'b', 'c'].map((topic) => fixture.allows(certificate, publish(topic)))).toEqual([true, true, false]);
  });

  it('allows nothing to a certificate that is not active', () => {
    // GIVEN
    fixture.attach(certificate, allow('iot:*', '*'));
    const before = fixture.allows(certificate, publish('a'));
    // WHEN
    fixture.certificates.setStatus(certificate, 'INACTIVE');
    // THEN
    expect([before, fixture.allows(certificate, publish('a'))]).toEqual([true, false]);
  });
});

describe('thing variables', () => {
  beforeEach(() => {
    fixture.things.types.create('Lamp', { description: undefined, searchableAttributes: [] });
    fixture.things.create('lamp', 'Lamp', { env: 'prod', odd: 'a#b' });
    fixture.things.attach('lamp', certificate.arn, 'NON_EXCLUSIVE_THING');
    fixture.things.create('other', undefined, {});
  });

  it('name the thing when the client id is its name and the certificate is attached', () => {
    // GIVEN
    fixture.attach(certificate, allow('iot:Publish', `${ARN}:topic/${THING}/*`));
    // WHEN
    const answers = ['lamp', 'other', 'lamp2', undefined].map((clientId) =>
      fixture.allows(certificate, publish(`${clientId}/a`, { clientId })),
    );
    // THEN
    expect(answers).toEqual([true, false, false, false]);
    expect(fixture.allows(certificate, publish('other/a', { clientId: 'lamp' }))).toBe(false);
  });

  it('are not resolved over HTTPS', () => {
    fixture.attach(certificate, allow('iot:Publish', `${ARN}:topic/${THING}/*`));
    expect(fixture.allows(certificate, publish('lamp/a', { clientId: 'lamp', protocol: 'https' }))).toBe(false);
  });

  it('follow an exclusive attachment whatever the client id is', () => {
    // GIVEN
    fixture.things.attach('lamp', certificate.arn, 'EXCLUSIVE_THING');
    fixture.attach(certificate, allow('iot:Publish', `${ARN}:topic/${THING}/*`));
    // WHEN / THEN
    expect(fixture.allows(certificate, publish('lamp/a', { clientId: 'anything' }))).toBe(true);
  });

  it.each([
    ['type', 'iot:Connection.Thing.ThingTypeName', 'Lamp', true],
    ['attribute', 'iot:Connection.Thing.Attributes[env]', 'prod', true],
    ['attribute name of another case', 'iot:Connection.Thing.Attributes[ENV]', 'prod', false],
    ['missing attribute', 'iot:Connection.Thing.Attributes[none]', 'none', false],
    ['attribute with a wildcard character', 'iot:Connection.Thing.Attributes[odd]', 'a#b', false],
  ])('%s in a resource', (_what, name, topic, allowed) => {
    fixture.attach(certificate, allow('iot:Publish', `${ARN}:topic/${variable(name)}`));
    expect(fixture.allows(certificate, publish(topic, { clientId: 'lamp' }))).toBe(allowed);
  });

  it('IsAttached is true and false, and absent over HTTPS', () => {
    // GIVEN
    const Condition = { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } };
    fixture.attach(certificate, allow('iot:Connect', '*', { Condition }));
    // WHEN / THEN
    expect(fixture.allows(certificate, connect('lamp'))).toBe(true);
    expect(fixture.allows(certificate, connect('other'))).toBe(false);
    expect(fixture.allows(certificate, connect('lamp', { protocol: 'https' }))).toBe(false);
  });

  it('hold for an authenticated Cognito identity that is attached, as for a certificate', () => {
    // GIVEN
    const identity = 'us-east-1:12345678-1234-1234-1234-123456789012';
    const sessionKeys = {
      'cognito-identity.amazonaws.com:amr': ['authenticated'],
      'cognito-identity.amazonaws.com:sub': identity,
    };
    const principal = { kind: 'iam', caller: { ...SESSION, sessionKeys } } as const;
    const Condition = { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } };
    const text = { Version: '2012-10-17', Statement: allow('iot:Connect', `${ARN}:client/${THING}`, { Condition }) };
    fixture.policies.attach(fixture.policies.create('people', JSON.stringify(text)), identity);
    fixture.things.attach('lamp', identity, 'NON_EXCLUSIVE_THING');
    // WHEN
    const answers = ['lamp', 'other'].map((clientId) =>
      fixture.authorizer.allows({ ...connect(clientId), clientId, principal, protocol: 'mqtt', sourceIp: undefined }),
    );
    // THEN
    expect(answers).toEqual([true, false]);
  });

  it('a change of the attachment is a new revision and another answer', () => {
    // GIVEN
    fixture.attach(certificate, allow('iot:Connect', `${ARN}:client/${THING}`));
    const before = { revision: fixture.authorizer.revision, allowed: fixture.allows(certificate, connect('lamp')) };
    // WHEN
    fixture.things.detach('lamp', certificate.arn);
    // THEN
    expect(before.allowed).toBe(true);
    expect(fixture.allows(certificate, connect('lamp'))).toBe(false);
    expect(fixture.authorizer.revision).toBeGreaterThan(before.revision);
  });
});

describe('a variable without a value never widens access', () => {
  const unresolved = variable('iot:Connection.Thing.Attributes[none]');

  it.each<[string, PolicyStatement[], boolean]>([
    ['in Resource', [allow('iot:Publish', `${ARN}:topic/${unresolved}*`)], false],
    ['beside a plain resource', [allow('iot:Publish', [`${ARN}:topic/${unresolved}`, `${ARN}:topic/a`])], true],
    ['in NotResource', [{ Effect: 'Allow', Action: 'iot:*', NotResource: `${ARN}:topic/${unresolved}` }], false],
    [
      'in a negated condition',
      [allow('iot:*', '*', { Condition: { StringNotEquals: { 'iot:ClientId': unresolved } } })],
      false,
    ],
    [
      'in NotResource of a Deny, which still denies',
      [allow('iot:*', '*'), { Effect: 'Deny', Action: 'iot:*', NotResource: `${ARN}:topic/${unresolved}` }],
      false,
    ],
  ])('%s', (_what, statements, allowed) => {
    fixture.attach(certificate, ...statements);
    expect(fixture.allows(certificate, publish('a', { clientId: 'lamp' }))).toBe(allowed);
  });
});

describe('certificate variables', () => {
  const name = (key: string) => variable(`iot:Certificate.${key}`);

  it.each([
    ['Subject.CommonName', 'lamp', true],
    ['Subject.Country', 'DE', true],
    ['Subject.country', 'DE', true],
    ['Issuer.CommonName', 'Policy CA', true],
    ['Subject.OrganizationalUnit', 'first', true],
    ['Subject.OrganizationalUnit.1', 'second', true],
    ['Subject.OrganizationalUnit.2', 'third', false],
    ['Subject.Organization', 'A\\, B', true],
    ['Subject.Title', '', false],
  ])('%s is %s', (key, value, allowed) => {
    fixture.attach(certificate, allow('iot:Publish', `${ARN}:topic/${name(key)}`));
    // They hold over HTTPS too.
    expect(fixture.allows(certificate, publish(value, { protocol: 'https' }))).toBe(allowed);
  });

  it('SerialNumber is decimal', () => {
    // GIVEN
    const serial = BigInt(`0x${new X509Certificate(pem).serialNumber}`);
    fixture.attach(certificate, allow('iot:Connect', `${ARN}:client/${name('SerialNumber')}`));
    // WHEN / THEN
    expect(fixture.allows(certificate, connect(serial.toString()))).toBe(true);
  });

  it('are not substituted when they hold a wildcard', () => {
    const other = fixture.certificate(odd);
    fixture.attach(other, allow('iot:Publish', `${ARN}:topic/${name('Subject.CommonName')}`));
    expect(['a*b', 'aXb'].map((topic) => fixture.allows(other, publish(topic)))).toEqual([false, false]);
  });

  it('may be asked for with Null and with all values', () => {
    // GIVEN
    const Condition = {
      Null: { 'iot:Certificate.Subject.CommonName': 'false', 'iot:Certificate.Subject.Title': 'true' },
      'ForAnyValue:StringEquals': { 'iot:Certificate.Subject.OrganizationalUnit.List': 'second' },
    };
    fixture.attach(certificate, allow('iot:Connect', '*', { Condition }));
    // WHEN / THEN
    expect(fixture.allows(certificate, connect('a'))).toBe(true);
  });
});

describe('conditions and request values', () => {
  it.each<[string, object, Partial<Question>, boolean]>([
    ['address in range', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, {}, true],
    ['address out of range', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {}, false],
    ['StringLike', { StringLike: { 'iot:ClientId': 'la*' } }, {}, true],
    ['StringEquals has no wildcards', { StringEquals: { 'iot:ClientId': 'la*' } }, {}, false],
    [
      'no persistent session',
      { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } },
      { context: { 'iot:ConnectAttributes': ['PersistentConnect'] } },
      false,
    ],
    [
      'with a last will',
      { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } },
      { context: { 'iot:ConnectAttributes': ['LastWill'] } },
      true,
    ],
    [
      'the topic of the will',
      { ArnEquals: { 'iot:LastWillTopic': `${ARN}:topic/device/${CLIENT}/*` } },
      { context: { 'iot:LastWillTopic': `${ARN}:topic/device/lamp/lwt` } },
      true,
    ],
    [
      'the topic of another will',
      { ArnEquals: { 'iot:LastWillTopic': `${ARN}:topic/device/${CLIENT}/*` } },
      { context: { 'iot:LastWillTopic': `${ARN}:topic/device/other/lwt` } },
      false,
    ],
  ])('%s', (_what, Condition, more, allowed) => {
    fixture.attach(certificate, allow('iot:Connect', '*', { Condition }));
    expect(fixture.allows(certificate, connect('lamp', more))).toBe(allowed);
  });

  it('a client id is substituted as it is, and its characters are never wildcards of the policy', () => {
    fixture.attach(certificate, allow('iot:Subscribe', `${ARN}:topicfilter/my/${CLIENT}/topic`));
    expect(fixture.allows(certificate, { ...subscribe('my/+/topic'), clientId: '+' })).toBe(true);
    expect(fixture.allows(certificate, { ...subscribe('my/other/topic'), clientId: '*' })).toBe(false);
  });
});

describe('malformed documents', () => {
  const statement = { Effect: 'Allow', Action: 'iot:*', Resource: '*' };
  const document = (change: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...change }] });

  it.each([
    ['no JSON', '{', 'MalformedPolicyException', 'not JSON'],
    ['no statement', '{"Version":"2012-10-17"}', 'MalformedPolicyException', 'Statement'],
    ['no version', JSON.stringify({ Statement: statement }), 'MalformedPolicyException', '2012-10-17'],
    ['wrong effect', document({ Effect: 'Maybe' }), 'MalformedPolicyException', 'Effect'],
    ['no ARN', document({ Resource: 'topic/a' }), 'MalformedPolicyException', 'ARN'],
    ['principal', document({ Principal: '*' }), 'MalformedPolicyException', 'Principal'],
    ['unknown element', document({ Actions: 'iot:*' }), 'MalformedPolicyException', 'Actions'],
    [
      'unknown operator',
      document({ Condition: { Equals: { 'iot:ClientId': 'a' } } }),
      'MalformedPolicyException',
      'Equals',
    ],
    ['unknown key', document({ Condition: { StringEquals: { 'my:key': 'a' } } }), 'MalformedPolicyException', 'my:key'],
    [
      'unknown variable',
      document({ Resource: `${ARN}:topic/${variable('x')}` }),
      'MalformedPolicyException',
      variable('x'),
    ],
    [
      'known to AWS only',
      document({ Resource: `${ARN}:topic/${variable('iot:DomainName')}` }),
      'NotEmulated',
      'iot:DomainName',
    ],
    [
      'hidden in an escape',
      document({ Resource: `${ARN}:topic/X{x}` }).replace('X{', '\\u0024{'),
      'MalformedPolicyException',
      variable('x'),
    ],
    ['ambiguous escape', document({ Resource: `${ARN}:topic/$(*)` }), 'NotEmulated', '$(*)'],
    ['too long', document({ Resource: `${ARN}:topic/${'a'.repeat(2048)}` }), 'MalformedPolicyException', '2048'],
  ])('%s', (_what, text, code, message) => {
    expect(() => fixture.policies.create('p', text)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('counts no white space', () => {
    const text = `${document({})}${' '.repeat(4000)}`;
    expect(fixture.policies.create('p', text).defaultVersion.text).toBe(text);
  });
});
