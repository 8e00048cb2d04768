/**
 * The CDK app. The CDK command line runs it; `node bin/thingstead.ts` alone synthesizes into `cdk.out` too. It calls no AWS
 * API and needs no account.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { keepBundles } from '../lib/function-bundles.ts';
import { InvalidConfigError } from '../lib/platform-config.ts';
import { thingstead } from '../lib/thingstead.ts';

const root = path.resolve(import.meta.dirname, '..');
if (process.env.THINGSTEAD_BUNDLES) keepBundles(process.env.THINGSTEAD_BUNDLES);
const { context } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8'));
const app = new App({
  context,
  analyticsReporting: false,
  outdir: process.env.CDK_OUTDIR ?? path.join(root, 'cdk.out'),
});
try {
  thingstead(app, { lambdaFolder: path.join(root, 'lambda') });
} catch (error) {
  if (!(error instanceof InvalidConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
app.synth();
