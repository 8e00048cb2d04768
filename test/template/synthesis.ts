/** Synthesizes both stacks in this process, without bundling the functions. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { thingstead } from '../../lib/thingstead.ts';

const root = path.resolve(__dirname, '../..');
const { context: flags } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8'));

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  // Properties of any type: the tests say which.
  readonly Properties: Readonly<Record<string, unknown>>;
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

/** The app before synthesis. @throws InvalidConfigError */
export function newApp(context: Readonly<Record<string, unknown>> = {}): {
  readonly app: App;
  readonly state: Stack;
  readonly platform: Stack;
} {
  const app = new App({ context: { ...flags, ...context, 'aws:cdk:bundling-stacks': [] }, analyticsReporting: false });
  return { app, ...thingstead(app, { lambdaFolder: path.join(root, 'lambda') }) };
}

/** Both templates, without cdk-nag's opinion. */
export function synthesize(context: Readonly<Record<string, unknown>> = {}): Synthesis {
  const { state, platform } = newApp(context);
  return { state: Template.fromStack(state), platform: Template.fromStack(platform) };
}

/** Resources of a type, by logical id. */
export function resources(template: Template, type: string): readonly (readonly [id: string, resource: Resource])[] {
  const found = Object.entries(template.toJSON().Resources as Record<string, Resource>);
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
