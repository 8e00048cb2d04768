/** The IoT policies of a person against a naive reading of their grants. */
import { ROLES, type Role, reaches } from '@thingstead/contracts/grants';
import { siteOf } from '@thingstead/contracts/things';
import fc from 'fast-check';
import { countOfPolicies, fitsPolicies, policyDocumentsOf } from '../../lambda/authorization/person-policy.ts';

const IDENTITY = 'eu-west-1:0b0c5fd1-93b8-4e1d-8a9d-7a7b7f9a1c11';
const CONTEXT = { partition: 'aws', identityId: IDENTITY };

interface Granted {
  readonly target: string;
  readonly role: Role;
}

/** By definition: `*` is any text, everything else itself. */
function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

function allows(documents: readonly string[], action: string, resource: string): boolean {
  const arn = `arn:aws:iot:eu-west-1:123456789012:${resource}`;
  const statements = documents.flatMap((text) => JSON.parse(text).Statement as Record<string, unknown>[]);
  return statements.some(
    ({ Effect, Action, Resource }) =>
      Effect === 'Allow' && Action === action && (Resource as string[]).some((pattern) => fits(pattern, arn)),
  );
}

/** What the grants say of a thing, with nothing of how policies are built. */
function roleFor(thing: string, grants: readonly Granted[]): Role | undefined {
  const about = grants.filter(({ target }) => target === `thing#${thing}` || target === `site#${siteOf(thing) ?? ''}`);
  return ROLES.findLast((role) => about.some((grant) => grant.role === role));
}

const letters = fc.constantFrom(...'abAB01_');
const site = fc.string({ unit: letters, minLength: 1, maxLength: 3 });
const thing = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab-_'), minLength: 1, maxLength: 4 }),
  fc.string({ unit: fc.constantFrom(...'abcdef0123-_'), minLength: 40, maxLength: 64 }),
  fc.tuple(site, thingTail()).map(([first, rest]) => `${first}-${rest}`),
);
function thingTail() {
  return fc.string({ unit: fc.constantFrom(...'ab-_'), maxLength: 3 });
}
const granted = fc.record({
  target: fc.oneof(
    thing.map((name) => `thing#${name}`),
    site.map((name) => `site#${name}`),
  ),
  role: fc.constantFrom(...ROLES),
});
const grantsOfOne = fc.uniqueArray(granted, { selector: ({ target }) => target, maxLength: 40 });

describe('the policies of a person', () => {
  it('each fit into what AWS IoT takes, and are the same whatever the order of the grants', () => {
    fc.assert(
      fc.property(grantsOfOne, (grants) => {
        const documents = policyDocumentsOf(grants, CONTEXT);

        for (const document of documents) expect(document.replaceAll(/\s/g, '').length).toBeLessThanOrEqual(2048);
        expect(policyDocumentsOf([...grants].reverse(), CONTEXT)).toEqual(documents);
        expect(countOfPolicies(grants)).toBe(documents.length);
        expect(fitsPolicies(grants)).toBe(documents.length <= 10);
      }),
    );
  });

  it('allow what the grants say and nothing else', () => {
    fc.assert(
      fc.property(grantsOfOne, thing, fc.nat(), (grants, other, pick) => {
        const things = grants.flatMap(({ target }) => (target.startsWith('thing#') ? [target.slice(6)] : []));
        const name = pick % 2 === 0 ? other : (things[pick % things.length] ?? other);
        const role = roleFor(name, grants);
        const documents = policyDocumentsOf(grants, CONTEXT);
        const may = (action: string, resource: string) => allows(documents, action, resource);
        const shadow = `$aws/things/${name}/shadow`;

        for (const topic of [
          `device/${name}/sensor/temperature/v1`,
          `${shadow}/update/delta`,
          `${shadow}/get/accepted`,
        ]) {
          expect(may('iot:Receive', `topic/${topic}`)).toBe(role !== undefined);
          expect(may('iot:Subscribe', `topicfilter/${topic}`)).toBe(role !== undefined);
          expect(may('iot:Publish', `topic/${topic}`)).toBe(false);
        }
        expect(may('iot:Subscribe', `topicfilter/device/${name}/sensor/+/v1`)).toBe(role !== undefined);
        expect(may('iot:Publish', `topic/${shadow}/get`)).toBe(role !== undefined);
        expect(may('iot:Publish', `topic/${shadow}/update`)).toBe(role !== undefined && reaches(role, 'controller'));
        expect(may('iot:Publish', `topic/${shadow}/delete`)).toBe(false);
        for (const rest of ['files/1/v1', 'firmware/1/v1/accepted', 'command/1/v1', 'pairing/v1/accepted', 'lwt/v1']) {
          expect(may('iot:Receive', `topic/device/${name}/${rest}`)).toBe(false);
          expect(may('iot:Publish', `topic/device/${name}/${rest}`)).toBe(false);
          expect(may('iot:Subscribe', `topicfilter/device/${name}/${rest}`)).toBe(false);
        }
        for (const filter of ['#', 'device/#', 'device/+/sensor/+/v1', '$aws/things/+/shadow/update/documents']) {
          expect(may('iot:Subscribe', `topicfilter/${filter}`)).toBe(false);
        }
        expect(may('iot:Connect', `client/${IDENTITY}-tab1`)).toBe(grants.length > 0);
        for (const clientId of [name, IDENTITY, 'eu-west-1:00000000-0000-0000-0000-000000000000-tab1']) {
          expect(may('iot:Connect', `client/${clientId}`)).toBe(false);
        }
      }),
    );
  });

  it('none without a grant; the same number in every partition; about five things each, and sites as many', () => {
    const things = (count: number): Granted[] =>
      Array.from({ length: count }, (_, n) => ({ target: `thing#sensor${1000 + n}`, role: 'owner' }));
    const govCloud = { partition: 'aws-us-gov', identityId: IDENTITY.replace('eu-west-1', 'us-gov-west-1') };

    expect(policyDocumentsOf([], CONTEXT)).toEqual([]);
    expect(policyDocumentsOf(things(33), govCloud)).toHaveLength(countOfPolicies(things(33)));
    expect(fitsPolicies(things(40))).toBe(true);
    expect(fitsPolicies(things(60))).toBe(false);
    expect(countOfPolicies([{ target: 'site#macdonald', role: 'owner' }])).toBe(1);
  });
});
