/** Every route, with every token that is not good, and with bodies that are not what it takes. */
import { createHmac } from 'node:crypto';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { ROUTES } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import * as v from 'valibot';
import { newPerson, PASSWORD, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { WRONG_BODIES } from './wrong-bodies.ts';

const EVERY: readonly Route[] = Object.values(ROUTES).flatMap((group) => Object.values(group) as Route[]);
const WITH_BODY = EVERY.filter(({ body }) => body !== undefined);

let platform: Platform;
let users: CognitoIdentityProviderClient;

/** An address of the route; nothing there is anybody's. */
function pathOf({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `no${name}`);
}

/** A token with another header or other claims, and the signature that it had. */
function changed(token: string, header: object, claims: object = {}): readonly [string, string, string] {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const edit = (part: string, change: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url').toString()), ...change })).toString(
      'base64url',
    );
  return [edit(head, header), edit(payload, claims), signature];
}

// Other clients and pools are made, and never removed: not for an account with people in it.
describeLocally('a user pool of its own', 'a token that is not good', () => {
  let person: Person;
  let other: Person;
  const tokens: Record<string, string | null> = {};

  beforeAll(async () => {
    platform = await startPlatform();
    users = new CognitoIdentityProviderClient(platform.config);
    const old = await newPerson(platform);
    tokens.expired = old.tokens().access;
    await platform.advance(16 * 60);
    person = await newPerson(platform);
    other = await newPerson(platform);
    const { access, id } = person.tokens();
    tokens.absent = null;
    tokens['no token'] = 'abc';
    tokens['an ID token'] = id;
    tokens['of another client'] = await tokenOfOtherClient(person.email);
    tokens['of another pool'] = await tokenOfOtherPool();
    const [none, claims] = changed(access, { alg: 'none' });
    tokens['alg: none'] = `${none}.${claims}.`;
    tokens['alg: none, with the signature'] = changed(access, { alg: 'none' }).join('.');
    tokens['for another person'] = changed(access, {}, { sub: other.person }).join('.');
    tokens['of an operator, by its own word'] = changed(access, {}, { 'cognito:groups': ['operator'] }).join('.');
    tokens['valid for longer'] = changed(tokens.expired, {}, { exp: Math.floor(Date.now() / 1000) + 86_400 }).join('.');
    const [head, body] = changed(access, { alg: 'HS256' });
    tokens['signed with what everybody knows'] =
      `${head}.${body}.${createHmac('sha256', platform.output('AppClientId')).update(`${head}.${body}`).digest('base64url')}`;
    tokens['without its signature'] = access.split('.').slice(0, 2).join('.');
  });

  async function tokenOfOtherClient(email: string): Promise<string> {
    const UserPoolId = platform.output('UserPoolId');
    const { UserPoolClient } = await users.send(
      new CreateUserPoolClientCommand({
        ...{ UserPoolId, ClientName: 'other', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] },
      }),
    );
    return passwordSignIn(UserPoolClient?.ClientId ?? '', email);
  }

  async function tokenOfOtherPool(): Promise<string> {
    const { UserPool } = await users.send(new CreateUserPoolCommand({ PoolName: 'other' }));
    const UserPoolId = UserPool?.Id ?? '';
    const { UserPoolClient } = await users.send(
      new CreateUserPoolClientCommand({
        ...{ UserPoolId, ClientName: 'app', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] },
      }),
    );
    const Username = 'mallory';
    await users.send(new AdminCreateUserCommand({ UserPoolId, Username, MessageAction: 'SUPPRESS' }));
    await users.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }));
    return passwordSignIn(UserPoolClient?.ClientId ?? '', Username);
  }

  async function passwordSignIn(ClientId: string, USERNAME: string): Promise<string> {
    const AuthParameters = { USERNAME, PASSWORD };
    const { AuthenticationResult } = await users.send(
      new InitiateAuthCommand({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters }),
    );
    return AuthenticationResult?.AccessToken ?? '';
  }

  it.each(EVERY)('$method $path answers 401', async (route) => {
    for (const [what, token] of Object.entries(tokens)) {
      const { status, headers } = await person.call(route.method, pathOf(route), route.body && {}, { token });
      expect({ what, status }).toEqual({ what, status: 401 });
      // The gateway's own answers keep AWS's body; those of ours are problems.
      if (what === 'an ID token') expect(headers.get('content-type')).toBe('application/problem+json');
    }
    // The one it is made from is good.
    const { status } = await person.call(route.method, pathOf(route), route.body && {});
    expect(status).not.toBe(401);
  });

  describe('a body', () => {
    it.each(WRONG_BODIES)('%s is refused by name on every route, and nothing internal is told', async (_what, text) => {
      for (const route of WITH_BODY) {
        const answer = await person.call(route.method, pathOf(route), text);
        expect([route.operationId, answer.status]).toEqual([route.operationId, 400]);
        expect(answer.body.errors).toContainEqual({
          field: expect.stringMatching(/^body/),
          message: expect.any(String),
        });
        expect(Object.keys(answer.body).sort()).toEqual(
          ['correlationId', 'detail', 'errors', 'status', 'title', 'type'].sort(),
        );
        expect(JSON.stringify(answer.body)).not.toMatch(/ at |node_modules|\.ts|Error:/);
      }
    });

    it('that is missing is refused', async () => {
      for (const route of WITH_BODY) {
        const answer = await person.call(route.method, pathOf(route));
        expect([route.operationId, answer.status]).toEqual([route.operationId, 400]);
        expect(answer.body.errors).toContainEqual({ field: 'body', message: expect.stringContaining('is missing') });
      }
    });

    it('is refused by the name of each member that is of a wrong kind', async () => {
      const kinds = [null, true, -1.5, '', '\u0000', 'x'.repeat(70_000), [], {}, { kind: 1 }];
      for (const route of WITH_BODY) {
        const entries = Object.entries((route.body as unknown as v.ObjectSchema<v.ObjectEntries, undefined>).entries);
        expect(entries.length).toBeGreaterThan(0);
        for (const [name, schema] of entries) {
          for (const wrong of kinds.filter((kind) => !v.safeParse(schema as v.GenericSchema, kind).success)) {
            const answer = await person.call(route.method, pathOf(route), { [name]: wrong });
            const what = { route: route.operationId, name, wrong: String(wrong).slice(0, 20) };
            expect({ ...what, status: answer.status }).toEqual({ ...what, status: 400 });
            const fields = (answer.body.errors as { field: string }[]).map(({ field }) => field);
            const named = fields.some((field) => field === 'body' || field.startsWith(`body.${name}`));
            expect({ ...what, named }).toEqual({ ...what, named: true });
          }
        }
      }
    });
  });

  it('a query or a path that a route does not take is refused by name', async () => {
    for (const route of EVERY) {
      const answer = await person.call(route.method, `${pathOf(route)}?nobodyKnows=1`, route.body && {});
      expect([route.operationId, answer.status]).toEqual([route.operationId, 400]);
      expect(answer.body.errors).toContainEqual({ field: 'query.nobodyKnows', message: 'is not known here' });
      if (!route.path.includes('{')) continue;
      const wrong = route.path.replaceAll(/\{\w+\}/g, 'a%20b');
      const { status, body } = await person.call(route.method, wrong, route.body && {});
      expect([route.operationId, status]).toEqual([route.operationId, 400]);
      expect(body.errors[0].field).toMatch(/^path\./);
    }
  });

  it('a route that is not there is not there, whoever asks', async () => {
    const { status } = await person.call('GET', '/internal');
    expect(status).toBe(404);
    expect((await person.call('GET', '/me/..%2f..%2finternal')).status).toBe(404);
  });

  afterAll(() => platform.stop());
});
