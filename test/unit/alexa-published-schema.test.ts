/** How Amazon's schema is read, on a small one of our own that has the same oddities; the real file is in no package. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PublishedSchema } from '../support/alexa-published-schema.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-schema-'));
afterAll(() => rmSync(folder, { recursive: true }));

function kind(name: string, payload: object): object {
  const header = { type: 'object', properties: { namespace: { enum: ['Alexa'] }, name: { enum: [name] } } };
  return { type: 'object', properties: { event: { type: 'object', properties: { header, payload } } } };
}

function read(schema: object): PublishedSchema {
  const file = path.join(folder, 'schema.json');
  writeFileSync(file, JSON.stringify(schema));
  return new PublishedSchema(file);
}

const dimmed = {
  type: 'number',
  format: 'int32',
  minimum: 0,
  exclusiveMinimum: true,
  maximum: 9,
  exclusiveMaximum: false,
};
const named = { type: 'string', nullable: true, pattern: '^[a-z\\_]+$' };
const schema = () =>
  read({
    $schema: 'http://json-schema.org/draft-04/schema#',
    definitions: { named },
    oneOf: [
      kind('Dimmed', dimmed),
      { oneOf: [kind('Named', { $ref: '#/definitions/named' }), kind('Odd', { 'type:': 'string' })] },
    ],
  });
const message = (name: string, payload: unknown, namespace = 'Alexa') => ({
  event: { header: { namespace, name }, payload },
});

it.each([
  ['Dimmed', 9],
  ['Dimmed', 0.5],
  ['Named', 'a_b'],
  ['Odd', null],
])('%s with %j is taken', (name, payload) => {
  schema().check(message(name, payload));
});

it.each([
  ['Dimmed', 10, 'must be <= 9'],
  ['Dimmed', 0, 'must be > 0'],
  ['Named', 'A', 'must match pattern'],
  ['Named', null, 'must be string'],
  ['Unheard', 1, 'it is not in it'],
])('%s with %j is refused: %s', (name, payload, reason) => {
  expect(() => schema().check(message(name, payload))).toThrow(reason);
});

it('a DeleteReport is asked about only where there is one', () => {
  const deletion = message('DeleteReport', 10, 'Alexa.Discovery');

  schema().check(deletion);
  expect(schema().has('Alexa.Discovery.DeleteReport')).toBe(false);

  const own = JSON.parse(JSON.stringify(kind('DeleteReport', dimmed)).replace('"Alexa"', '"Alexa.Discovery"'));
  expect(() => read({ oneOf: [own] }).check(deletion)).toThrow('/event/payload must be <= 9');
});

it('a file without schemas of messages is refused', () => {
  expect(() => read({ type: 'object' })).toThrow('has no schemas of messages');
});
