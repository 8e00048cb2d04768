/** The templates, to read. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { synthesize as synthesizeAssembly } from '../support/assembly.ts';

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  // Properties of any type: the tests say which.
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>>;
}

export interface Synthesis {
  readonly state: Template;
  readonly platform: Template;
}

/** Settings with an Alexa skill; there is nothing of voice without one. */
export const WITH_VOICE = {
  'thingstead:voice': {
    skillId: 'amzn1.ask.skill.0a1b2c3d-0000-4000-8000-000000000001',
    redirectUrls: ['https://pitangui.amazon.com/api/skill/link/M1'],
    clientId: 'amzn1.application-oa2-client.1',
    clientSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:alexa-AbCdEf',
  },
};

/** Both templates, of an assembly that all test files share. */
export function synthesize(context: Readonly<Record<string, unknown>> = {}): Synthesis {
  return read(synthesizeAssembly(context));
}

/** Both templates, without bundled functions: the better one for many settings, once CDK is loaded. */
export function synthesizeHere(context: Readonly<Record<string, unknown>>): Synthesis {
  const { newApp } = require('./new-app.ts') as typeof import('./new-app.ts');
  // What CloudFormation would say to a template is asked where synthesis itself is tested: it takes most of the time.
  const unasked = { '@aws-cdk/core:validateAgainstDefaultRules': false };
  return read(newApp({ ...context, ...unasked }).app.synth().directory);
}

function read(folder: string): Synthesis {
  return { state: readTemplate(folder, 'ThingsteadState'), platform: readTemplate(folder, 'ThingsteadPlatform') };
}

function readTemplate(folder: string, stack: string): Template {
  return JSON.parse(readFileSync(path.join(folder, `${stack}.template.json`), 'utf8')) as Template;
}

/** Resources of a type, by logical id. */
export function resources(template: Template, type: string): readonly (readonly [id: string, resource: Resource])[] {
  const found = Object.entries(template.Resources);
  return found.filter(([, resource]) => resource.Type === type);
}

/** The logical id of the only resource of a type whose id begins so. */
export function only(template: Template, type: string, prefix: string): readonly [id: string, resource: Resource] {
  const [found, ...others] = resources(template, type).filter(([id]) => id.startsWith(prefix));
  if (!found || others.length > 0) throw new Error(`not exactly one ${type} ${prefix}*`);
  return found;
}

/** A value of the template as it is in AWS, for reading: `{Ref: AWS::Region}` becomes `<region>`, `Fn::GetAtt` `<Id.Attribute>`, `Fn::ImportValue` its name. */
export function flat(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flat);
  if (typeof value !== 'object' || value === null) return value;
  const {
    Ref: ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
    'Fn::ImportValue': imported,
  } = value as Record<string, unknown>;
  if (typeof ref === 'string')
    return `<${ref.replace(/^AWS::/, '').toLowerCase()}>`.replace(/^<(?!region|accountid|partition).*/, `<${ref}>`);
  if (typeof imported === 'string') return `<${imported}>`;
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  if (Array.isArray(join)) return (flat(join[1]) as unknown[]).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, flat(member)]));
}
