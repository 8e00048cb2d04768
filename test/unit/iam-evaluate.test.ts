/** What policies allow: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html */
import fc from 'fast-check';
import { compilePolicy } from '../../local/src/iam/compile-policy.ts';
import { compileArnGlob, compileGlob, compileResourceGlob } from '../../local/src/iam/glob.ts';
import { compiledPolicy } from '../../local/src/iam/iam-store.ts';
import { LocalIam } from '../../local/src/iam/local-iam.ts';
import type { PolicyDocument, PolicyStatement } from '../../local/src/iam/policy-document.ts';
import type { Caller } from '../../local/src/kernel/caller.ts';

const ACCOUNT = '123456789012';
const TABLE = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/rows`;
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:jobs`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`;
const session: Caller = {
  kind: 'role',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/run`,
  accountId: ACCOUNT,
  roleArn: ROLE,
  roleName: 'worker',
  sessionName: 'run',
};
const iot: Caller = {
  kind: 'service',
  arn: 'iot.amazonaws.com',
  accountId: ACCOUNT,
  sourceArn: `arn:aws:iot:us-east-1:${ACCOUNT}:rule/store`,
};
const now = Date.parse('2026-11-21T10:00:00Z');

function document(...statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

function allow(action: string | string[], resource: string | string[] = '*', Condition = {}): PolicyStatement {
  return { Effect: 'Allow', Action: action, Resource: resource, Condition };
}

function deny(action: string, resource = '*'): PolicyStatement {
  return { Effect: 'Deny', Action: action, Resource: resource };
}

/** An account with one role, `worker`, that has these statements. */
function account(statements: readonly PolicyStatement[], trust: readonly PolicyStatement[] = []): LocalIam {
  const iam = new LocalIam({ region: 'us-east-1', accountId: ACCOUNT, now: () => now });
  iam.store.roles.set('worker', {
    ...{ name: 'worker', arn: ROLE, path: '/', id: 'AROA', createdAt: 0, description: undefined },
    ...{ attached: new Set(), tags: new Map([['team', 'farm']]), maxSessionSeconds: 3600 },
    trust: compiledPolicy(
      trust.length > 0
        ? document(...trust)
        : document({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'iot.amazonaws.com' } }),
      'trust',
    ),
    inline: new Map(statements.length > 0 ? [['own', compiledPolicy(document(...statements), 'identity')]] : []),
  });
  return iam;
}

interface Asked {
  readonly action?: string;
  readonly resource?: string;
  readonly caller?: Caller;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly resourcePolicy?: PolicyDocument;
  readonly sourceIp?: string;
}

function ask(iam: LocalIam, asked: Asked): void {
  const { action = 'dynamodb:PutItem', resource = TABLE, caller = session, sourceIp, ...rest } = asked;
  iam.authorize({ caller, requestId: 'r', sourceIp }, { action, resource, ...rest });
}

function isAllowed(statements: readonly PolicyStatement[], asked: Asked = {}): boolean {
  try {
    ask(account(statements), asked);
    return true;
  } catch {
    return false;
  }
}

describe('identity policies', () => {
  it('deny what no statement allows, in the words of AWS', () => {
    expect(() => ask(account([]), {})).toThrow(
      `User: arn:aws:sts::${ACCOUNT}:assumed-role/worker/run is not authorized to perform: dynamodb:PutItem on ` +
        `resource: ${TABLE} because no identity-based policy allows the dynamodb:PutItem action`,
    );
  });

  it('say when a denial is explicit, whatever else allows it', () => {
    expect(() => ask(account([allow('*'), deny('dynamodb:Put*')]), {})).toThrow(
      'with an explicit deny in an identity-based policy',
    );
  });

  it.each<[string, PolicyStatement, boolean]>([
    ['the action and resource by name', allow('dynamodb:PutItem', TABLE), true],
    ['the action in other letters', allow('DynamoDB:putitem', TABLE), true],
    ['another resource', allow('dynamodb:PutItem', `${TABLE}-2`), false],
    ['a resource in other letters', allow('dynamodb:PutItem', TABLE.toUpperCase().replace('ARN', 'arn')), false],
    ['wildcards', allow('dynamodb:P*Item', `arn:aws:dynamodb:*:${ACCOUNT}:table/r?ws`), true],
    [
      'a wildcard at the end of a part, which may cross colons',
      allow('dynamodb:PutItem', 'arn:aws:dynamodb:*:table/rows'),
      true,
    ],
    ['a wildcard within a part, which may not', allow('dynamodb:PutItem', 'arn:aws:dynamodb:us*9:table/rows'), false],
    ['a wildcard within a part', allow('dynamodb:PutItem', `arn:aws:dynamodb:u*t-?:${ACCOUNT}:table/*`), true],
    [
      'a question mark for a colon',
      allow('dynamodb:PutItem', `arn:aws:dynamodb:us-east-1?${ACCOUNT}:table/rows:x*`),
      false,
    ],
    ['a short ARN that ends in a wildcard', allow('dynamodb:PutItem', 'arn:aws:dynamodb:*'), true],
    ['one of several', allow(['s3:GetObject', 'dynamodb:PutItem'], [QUEUE, TABLE]), true],
    ['NotAction of another action', { Effect: 'Allow', NotAction: 's3:*', Resource: '*' }, true],
    ['NotAction of this action', { Effect: 'Allow', NotAction: 'dynamodb:*', Resource: '*' }, false],
    ['NotResource of another resource', { Effect: 'Allow', Action: '*', NotResource: QUEUE }, true],
    ['NotResource of this resource', { Effect: 'Allow', Action: '*', NotResource: TABLE }, false],
  ])('%s', (_name, statement, expected) => {
    expect(isAllowed([statement])).toBe(expected);
  });

  it('replace policy variables, and match nothing when one has no value', () => {
    const resource = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/`;
    const tagged = allow('dynamodb:*', `${resource}\${aws:PrincipalTag/team}`);

    expect(isAllowed([tagged], { resource: `${resource}farm` })).toBe(true);
    expect(isAllowed([tagged], { resource: `${resource}rows` })).toBe(false);
    expect(isAllowed([allow('dynamodb:*', `${resource}\${aws:username}`)], { resource })).toBe(false);
    expect(isAllowed([allow('dynamodb:*', `${resource}\${aws:username, 'rows'}`)])).toBe(true);
  });

  it('take a wildcard in the value of a variable as a plain character', () => {
    const statement = allow('dynamodb:*', `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/\${dynamodb:Select}`);

    expect(isAllowed([statement], { context: { 'dynamodb:Select': '*' } })).toBe(false);
  });
});

describe('conditions', () => {
  const key = 'dynamodb:LeadingKeys';
  const cases: [string, string, string, unknown, string | string[] | undefined, boolean][] = [
    ['equal', 'StringEquals', key, 'a', 'a', true],
    ['not equal', 'StringEquals', key, 'a', 'A', false],
    ['one of', 'StringEquals', key, ['a', 'b'], 'b', true],
    ['missing key', 'StringEquals', key, 'a', undefined, false],
    ['missing key, if exists', 'StringEqualsIfExists', key, 'a', undefined, true],
    ['missing key, negated', 'StringNotEquals', key, 'a', undefined, true],
    ['none of', 'StringNotEquals', key, ['a', 'b'], 'b', false],
    ['other letters', 'StringEqualsIgnoreCase', key, 'a', 'A', true],
    ['like', 'StringLike', key, 'a*d', 'abcd', true],
    ['an asterisk is plain without like', 'StringEquals', key, 'a*', 'ab', false],
    ['number', 'NumericLessThanEquals', key, '10', '9.5', true],
    ['number as text', 'NumericLessThan', key, '10', '9x', false],
    ['date', 'DateGreaterThan', 'aws:CurrentTime', '2026-11-21T09:00:00Z', undefined, true],
    ['date in epoch seconds', 'DateLessThan', 'aws:CurrentTime', String(now / 1000), undefined, false],
    ['bool', 'Bool', 'aws:SecureTransport', 'true', undefined, true],
    ['bool as a boolean', 'Bool', 'aws:SecureTransport', false, undefined, false],
    ['null: is absent', 'Null', key, 'true', undefined, true],
    ['null: is there', 'Null', key, 'true', 'a', false],
    ['arn like', 'ArnLike', 'aws:PrincipalArn', `arn:aws:iam::*:role/w*`, undefined, true],
    ['arn like does not cross colons', 'ArnLike', 'aws:PrincipalArn', `arn:*:role/worker`, undefined, false],
    ['all values', 'ForAllValues:StringEquals', key, ['a', 'b'], ['a', 'b', 'a'], true],
    ['all values, one other', 'ForAllValues:StringEquals', key, ['a', 'b'], ['a', 'c'], false],
    ['all values of none', 'ForAllValues:StringEquals', key, ['a'], undefined, true],
    ['any value', 'ForAnyValue:StringEquals', key, ['a'], ['c', 'a'], true],
    ['any value of none', 'ForAnyValue:StringEquals', key, ['a'], undefined, false],
    ['region', 'StringEquals', 'aws:RequestedRegion', 'us-east-1', undefined, true],
    ['a key in other letters', 'StringEquals', 'DYNAMODB:leadingkeys', 'a', 'a', true],
  ];
  it.each(cases)('%s', (_name, operator, name, expected, given, allowed) => {
    const statement = { ...allow('*'), Condition: { [operator]: { [name]: expected } } } as PolicyStatement;

    expect(isAllowed([statement], given === undefined ? {} : { context: { [key]: given } })).toBe(allowed);
  });

  it('on addresses compare ranges', () => {
    const inside = (range: string) => allow('*', '*', { IpAddress: { 'aws:SourceIp': range } });

    expect(isAllowed([inside('10.0.0.0/8')], { sourceIp: '10.20.30.40' })).toBe(true);
    expect(isAllowed([inside('10.0.0.0/8')], { sourceIp: '11.0.0.1' })).toBe(false);
    expect(
      isAllowed([allow('*', '*', { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } })], { sourceIp: '11.0.0.1' }),
    ).toBe(true);
  });

  it('must all hold', () => {
    const statement = allow('*', '*', {
      StringEquals: { 'aws:RequestedRegion': 'us-east-1' },
      Bool: { 'aws:SecureTransport': 'false' },
    });

    expect(isAllowed([statement])).toBe(false);
  });
});

describe('resource policies', () => {
  const forIot: PolicyStatement = {
    Effect: 'Allow',
    Principal: { Service: 'iot.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: QUEUE,
    Condition: {
      ArnLike: { 'aws:SourceArn': 'arn:aws:iot:*:*:rule/store' },
      StringEquals: { 'aws:SourceAccount': ACCOUNT },
    },
  };
  const onQueue = { action: 'sqs:SendMessage', resource: QUEUE };

  it('alone decide for a service, with the source it acts for', () => {
    const resourcePolicy = document(forIot);

    expect(isAllowed([], { ...onQueue, caller: iot, resourcePolicy })).toBe(true);
    expect(isAllowed([], { ...onQueue, caller: { ...iot, sourceArn: `${iot.sourceArn}2` }, resourcePolicy })).toBe(
      false,
    );
    expect(isAllowed([], { ...onQueue, caller: { ...iot, arn: 's3.amazonaws.com' }, resourcePolicy })).toBe(false);
    expect(isAllowed([], { ...onQueue, caller: iot })).toBe(false);
  });

  it('are enough for a role that they name', () => {
    const resourcePolicy = document({ ...forIot, Principal: { AWS: ROLE }, Condition: {} });

    expect(isAllowed([], { ...onQueue, resourcePolicy })).toBe(true);
  });

  it('that name the account leave the decision to the identity policies', () => {
    const resourcePolicy = document({ ...forIot, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Condition: {} });

    expect(isAllowed([], { ...onQueue, resourcePolicy })).toBe(false);
    expect(isAllowed([allow('sqs:*')], { ...onQueue, resourcePolicy })).toBe(true);
  });

  it('deny in spite of an identity policy', () => {
    const resourcePolicy = document({ ...forIot, Effect: 'Deny', Principal: '*', Condition: {} });

    expect(() => ask(account([allow('*')]), { ...onQueue, resourcePolicy })).toThrow(
      'with an explicit deny in a resource-based policy',
    );
  });

  it('that insist on TLS do not lock out this machine', () => {
    const insist = {
      ...forIot,
      Effect: 'Deny' as const,
      Principal: '*' as const,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    };

    expect(isAllowed([allow('*')], { ...onQueue, resourcePolicy: document(insist) })).toBe(true);
  });

  it('with NotPrincipal deny everyone else', () => {
    const { Principal: _principal, ...rest } = forIot;
    const others = { ...rest, Effect: 'Deny' as const, NotPrincipal: { AWS: ROLE }, Condition: {} };
    const user: Caller = { kind: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/eve`, accountId: ACCOUNT, userName: 'eve' };
    const named = document({ ...forIot, Principal: '*', Condition: {} }, others);

    expect(isAllowed([], { ...onQueue, resourcePolicy: named })).toBe(true);
    expect(isAllowed([], { ...onQueue, caller: user, resourcePolicy: named })).toBe(false);
  });
});

describe('taking a role', () => {
  it('needs the trust policy, and a service its source', () => {
    const trust: PolicyStatement = {
      Effect: 'Allow',
      Principal: { Service: 'iot.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:SourceArn': iot.sourceArn } },
    };
    const iam = account([], [trust]);

    expect(iam.assumeRole(ROLE, iot, 'x')).toMatchObject({ arn: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/x` });
    expect(() =>
      iam.assumeRole(ROLE, { ...iot, sourceArn: 'arn:aws:iot:us-east-1:123456789012:rule/other' }, 'x'),
    ).toThrow(`User: iot.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`);
  });

  it('by way of the account needs an identity policy too', () => {
    const trust: PolicyStatement = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' };

    expect(() => account([], [trust]).assumeRole(ROLE, session, 'x')).toThrow('is not authorized');
    expect(account([allow('sts:AssumeRole', ROLE)], [trust]).assumeRole(ROLE, session, 'x').kind).toBe('role');
  });
});

describe('a document that cannot be evaluated is refused when it is created', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'an unknown operator',
      { ...allow('*'), Condition: { StringMatches: { 'aws:username': 'x' } } },
      /StringMatches is not a condition operator/,
    ],
    [
      'an unknown global key',
      { ...allow('*'), Condition: { StringEquals: { 'aws:Moon': 'x' } } },
      /condition key aws:Moon/,
    ],
    ['no Effect', { Action: '*', Resource: '*' }, /statement 1 needs Effect Allow or Deny/],
    ['no Action', { Effect: 'Allow', Resource: '*' }, /either Action or NotAction/],
    ['Action and NotAction', { ...allow('*'), NotAction: 's3:*' }, /either Action or NotAction/],
    ['a resource that is no ARN', allow('*', 'rows'), /Resource rows must be in ARN format or "\*"/],
    ['a wildcard for the service', allow('*', 'arn:aws:*:us-east-1:1:x'), /must name the service without wildcards/],
    ['an action without a service', allow('PutItem'), /"PutItem" is not an action/],
    ['an unknown element', { ...allow('*'), Effects: 'Allow' }, /an element Effects/],
    ['a Principal', { ...allow('*'), Principal: '*' }, /an identity policy has no Principal/],
    [
      'an id with a hyphen',
      { ...allow('*'), Sid: 'read-rows' },
      /statement id "read-rows" has to be letters and digits/,
    ],
    ['an address that is none', allow('*', '*', { IpAddress: { 'aws:SourceIp': '10.0.0.0/99' } }), /CIDR/],
  ])('%s', (_name, statement, message) => {
    expect(() => compilePolicy(document(statement as PolicyStatement), 'identity')).toThrow(message);
  });

  it('an id that is there twice', () => {
    const twice = document({ ...allow('s3:*'), Sid: 'Same' }, { ...allow('sqs:*'), Sid: 'Same' });

    expect(() => compilePolicy(twice, 'identity')).toThrow(/statement id Same is there twice/);
  });
});

describe('pattern matching', () => {
  const alphabet = fc.constantFrom('a', 'b', ':', '*', '?');
  const text = fc.array(fc.constantFrom('a', 'b', ':'), { maxLength: 12 }).map((each) => each.join(''));
  const pattern = fc.array(alphabet, { maxLength: 8 }).map((each) => each.join(''));

  /** The plain recursive definition. */
  function naive(given: string, value: string): boolean {
    if (given === '') return value === '';
    if (given[0] === '*') return naive(given.slice(1), value) || (value !== '' && naive(given, value.slice(1)));
    return value !== '' && (given[0] === '?' || given[0] === value[0]) && naive(given.slice(1), value.slice(1));
  }

  it('agrees with its definition', () => {
    fc.assert(
      fc.property(pattern, text, (given, value) => {
        const match = compileGlob(given, { wildcards: true, variables: false });
        expect(match(value, () => undefined)).toBe(naive(given, value));
      }),
      { numRuns: process.env.THINGSTEAD_EXHAUSTIVE ? 100_000 : 2000 },
    );
  });

  it('of resources agrees with its definition', () => {
    const arn = (part: fc.Arbitrary<string>) =>
      fc.tuple(part, part, part, part, part, part).map((parts) => parts.join(':'));
    const piece = (...characters: readonly string[]) =>
      fc.array(fc.constantFrom(...characters), { maxLength: 3 }).map((each) => each.join(''));

    /** In the first five parts only a star that ends its part crosses colons. */
    function expression(given: string): RegExp {
      const parts = given.split(':');
      const source = parts.map((part, at) => {
        const inside = at < 5 ? '[^:]' : '.';
        const plain = at < 5 ? part.replace(/\*$/, '>') : part;
        return plain.replaceAll('*', `${inside}~`).replaceAll('?', inside).replaceAll('~', '*').replaceAll('>', '.*');
      });
      return new RegExp(`^${source.join(':')}$`);
    }

    fc.assert(
      fc.property(arn(piece('a', 'b', '*', '?')), arn(piece('a', 'b')), (given, value) => {
        expect(compileResourceGlob(given, { variables: false })(value, () => undefined)).toBe(
          expression(given).test(value),
        );
      }),
      { numRuns: process.env.THINGSTEAD_EXHAUSTIVE ? 100_000 : 2000 },
    );
  });

  it('does not hang on a pattern made to', () => {
    const match = compileGlob(`${'a*'.repeat(50)}b`, { wildcards: true, variables: false });

    expect(match('a'.repeat(20_000), () => undefined)).toBe(false);
  });

  it('keeps a variable with colons in its name in one part of an ARN', () => {
    const match = compileArnGlob(`arn:aws:sqs:*:*:\${aws:username}`, { wildcards: true, variables: true });

    expect(match('arn:aws:sqs:us-east-1:1:ann', () => 'ann')).toBe(true);
  });
});
