/** The policy engine against a naive reading of the same rules. */
import fc from 'fast-check';
import type { PolicyStatement } from '../../local/src/iam/policy-document.ts';
import type { StoredCertificate } from '../../local/src/services/iot/certificates/certificate-store.ts';
import { createCa, issue } from '../support/certificates.ts';
import { ARN, PolicyFixture } from './iot-policy-fixture.ts';

let fixture: PolicyFixture;
let certificate: StoredCertificate;

beforeAll(async () => {
  fixture = new PolicyFixture();
  certificate = fixture.certificate((await issue(await createCa('Property CA'), 'device')).pem);
});

/** By definition: `*` is any text, `?` one character, everything else itself. */
function matches(pattern: string, text: string): boolean {
  const [first] = pattern;
  if (first === undefined) return text === '';
  if (first === '*') return matches(pattern.slice(1), text) || (text !== '' && matches(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && matches(pattern.slice(1), text.slice(1));
}

const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 7 });
const topics = text('ab/+#$*?:');
const patterns = text('ab/+#*?:');
const statements = fc.array(
  fc.record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: fc.constantFrom('iot:Publish', 'iot:Receive', 'iot:*'),
    pattern: patterns,
  }),
  { minLength: 1, maxLength: 5 },
);

test('allowed is what some Allow and no Deny matches', () => {
  fc.assert(
    fc.property(statements, fc.constantFrom('iot:Publish', 'iot:Receive'), topics, (given, action, topic) => {
      // GIVEN
      fixture.attach(
        certificate,
        ...given.map(({ pattern, ...rest }) => ({ ...rest, Resource: `${ARN}:topic/${pattern}` }) as PolicyStatement),
      );
      const fits = (effect: string) =>
        given.some(
          (each) => each.Effect === effect && ['iot:*', action].includes(each.Action) && matches(each.pattern, topic),
        );
      // WHEN
      const allowed = fixture.allows(certificate, { action, resource: `topic/${topic}` });
      // THEN
      expect(allowed).toBe(fits('Allow') && !fits('Deny'));
    }),
  );
});

test('a client id never reaches a topic that is not under its own name', () => {
  fixture.attach(certificate, {
    Effect: 'Allow',
    Action: 'iot:Publish',
    Resource: `${ARN}:topic/device/\${iot:ClientId}/data`,
  });
  fc.assert(
    fc.property(topics, topics, (clientId, other) => {
      const allowed = fixture.allows(certificate, {
        action: 'iot:Publish',
        resource: `topic/device/${other}/data`,
        clientId,
      });
      expect(allowed).toBe(clientId === other);
    }),
  );
});
