/** JSON Schema (2020-12, as OpenAPI 3.1 takes it) of the contracts' schemas. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { CommandId, CommandName } from '../../contracts/src/commands.ts';
import { PersonId, Role, SiteName, ThingName } from '../../contracts/src/grants.ts';
import { Command } from '../../contracts/src/routes/commands.ts';
import { Cursor, EpochMilliseconds, Problem } from '../../contracts/src/routes/route.ts';
import { Thing } from '../../contracts/src/routes/things.ts';

export type Json = Readonly<Record<string, unknown>>;

/** They get a name in the document, and are referred to. */
const NAMED = {
  Problem,
  Thing,
  Command,
  ThingName,
  SiteName,
  PersonId,
  Role,
  CommandId,
  CommandName,
  Cursor,
  EpochMilliseconds,
};

/** They have no equal in JSON Schema. The first two leave the meaning as it is; what a `check` wants is told in words. */
const UNTOLD = ['trim', 'finite'];

/** What an action of a schema says of itself. */
interface Told {
  readonly type: string;
  readonly requirement?: unknown;
  readonly message?: unknown;
  readonly operation?: unknown;
}

const config = {
  target: 'draft-2020-12',
  definitions: NAMED,
  ignoreActions: UNTOLD,
  // Objects that a schema cannot describe tell it in words.
  overrideSchema: ({ valibotSchema }) =>
    valibotSchema.type === 'custom'
      ? { type: 'object', description: String((valibotSchema as Told).message) }
      : undefined,
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideAction: ({ valibotAction, jsonSchema }) => {
    const { type, requirement, message } = valibotAction as Told;
    if (type === 'check') {
      const isWish = typeof message === 'string' && message.startsWith('must ');
      return isWish ? { ...jsonSchema, description: message } : jsonSchema;
    }
    // Patterns of JSON Schema are Unicode's without saying so.
    if (requirement instanceof RegExp && requirement.flags === 'u')
      return { ...jsonSchema, pattern: requirement.source };
    return undefined;
  },
} as const satisfies Parameters<typeof toJsonSchema>[1];

/** What may be sent, or what is answered. @throws Error for a schema that cannot be told */
export function jsonSchema(schema: v.GenericSchema, typeMode: 'input' | 'output'): Json {
  const { $schema, $defs, ...told } = toJsonSchema(schema, { ...config, typeMode });
  return told as Json;
}

/** The named schemas, for `components`. */
export function namedSchemas(): Json {
  return Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, named(name, schema)]));
}

/** Its own name must not stand for it here. */
function named(name: string, schema: v.GenericSchema): Json {
  const definitions = Object.fromEntries(Object.entries(NAMED).filter(([other]) => other !== name));
  const { $schema, $defs, ...told } = toJsonSchema(schema, { ...config, definitions, typeMode: 'input' });
  return told as Json;
}

/** What the members of an object may be, and which must be there: the parameters of a path, a query or headers. */
export function members(
  schema: v.GenericSchema,
): readonly { readonly name: string; readonly required: boolean; readonly schema: Json }[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  const entries = 'entries' in schema ? (schema.entries as Readonly<Record<string, object>>) : {};
  return Object.entries(properties).map(([name, told]) => ({
    name,
    required: required.includes(name),
    schema: integerFromDigits(entries[name]) ?? told,
  }));
}

/** A number in a query comes as digits, and is told as what it is. */
function integerFromDigits(schema: object | undefined): Json | undefined {
  const inner = schema && 'wrapped' in schema ? (schema.wrapped as object) : schema;
  if (!inner || !('pipe' in inner)) return undefined;
  const actions = inner.pipe as readonly Told[];
  if (!actions.some(({ type, operation }) => type === 'transform' && operation === Number)) return undefined;
  const bound = (wanted: string): unknown => actions.find(({ type }) => type === wanted)?.requirement;
  return { type: 'integer', minimum: bound('min_value'), maximum: bound('max_value') };
}
