/** The app in this process, without bundling the functions: for what fails before there is a template. Loading CDK takes seconds. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { thingstead } from '../../lib/thingstead.ts';

const root = path.resolve(__dirname, '../..');
const { context: flags } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8'));

/** The app before synthesis. @throws InvalidConfigError */
export function newApp(context: Readonly<Record<string, unknown>> = {}): {
  readonly app: App;
  readonly state: Stack;
  readonly platform: Stack;
} {
  const app = new App({ context: { ...flags, ...context, 'aws:cdk:bundling-stacks': [] }, analyticsReporting: false });
  return { app, ...thingstead(app, { lambdaFolder: path.join(root, 'lambda') }) };
}
