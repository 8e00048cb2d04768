import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** A new path that goes away when the bench ends. */
export function temporaryPath(name: string): string {
  made += 1;
  return path.join(folder, `${made}-${name}`);
}

/** Synthesizes the platform as `npm start` does, or with this CDK context, and gives the folder. */
export async function synthesize(context?: Readonly<Record<string, unknown>>): Promise<string> {
  const output = temporaryPath('cdk.out');
  const settings = context && { CDK_CONTEXT_JSON: JSON.stringify(context) };
  const env = { ...process.env, CDK_OUTDIR: output, ...settings };
  await promisify(execFile)(process.execPath, ['bin/thingstead.ts'], { cwd: root, env });
  return output;
}

/** Settings with which the gateway refuses nobody for being fast. */
export const UNTHROTTLED = { 'thingstead:access': { requestsPerSecond: 10_000, burst: 5_000 } };

let assembly: Promise<string> | undefined;

/** One assembly for all figures. */
export function platformAssembly(): Promise<string> {
  assembly ??= synthesize();
  return assembly;
}

/** A copy in which the telemetry rule has one action only: the history (`DynamoDBv2`), or the archive (`Firehose`). */
export async function oneActionAssembly(action: 'DynamoDBv2' | 'Firehose'): Promise<string> {
  const copy = temporaryPath(action);
  cpSync(await platformAssembly(), copy, { recursive: true });
  const file = path.join(copy, 'ThingsteadPlatform.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8'));
  const rules = Object.values<{ Type: string; Properties: { RuleName?: string; TopicRulePayload: RulePayload } }>(
    template.Resources,
  ).filter(({ Type, Properties }) => Type === 'AWS::IoT::TopicRule' && Properties.RuleName === 'thingstead_telemetry');
  for (const { Properties } of rules) {
    const { TopicRulePayload: payload } = Properties;
    payload.Actions = payload.Actions.filter((each) => action in each);
    if (payload.Actions.length !== 1) throw new Error(`the telemetry rule has no ${action} action`);
  }
  if (rules.length !== 1) throw new Error('the platform has no telemetry rule');
  writeFileSync(file, JSON.stringify(template));
  return copy;
}

/** A copy in which no rule acts: what is left is the broker with its policies. */
export async function withoutRulesAssembly(): Promise<string> {
  const copy = temporaryPath('without-rules');
  cpSync(await platformAssembly(), copy, { recursive: true });
  const file = path.join(copy, 'ThingsteadPlatform.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8'));
  const rules = Object.values<{ Type: string; Properties: { TopicRulePayload: RulePayload } }>(
    template.Resources,
  ).filter(({ Type }) => Type === 'AWS::IoT::TopicRule');
  for (const { Properties } of rules) Properties.TopicRulePayload.RuleDisabled = true;
  if (rules.length === 0) throw new Error('the platform has no rules');
  writeFileSync(file, JSON.stringify(template));
  return copy;
}

interface RulePayload {
  RuleDisabled?: boolean;
  Actions: object[];
}
