import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError } from './command-error.ts';
import { notRunning } from './explain-error.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly local?: boolean;
  readonly endpoints?: string;
  readonly region?: string;
  readonly profile?: string;
  /** File that `cdk deploy --outputs-file` has written. */
  readonly outputs?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** Outputs of each stack, as the CDK command line and the local runtime write them. */
export const Outputs = v.record(v.string(), v.record(v.string(), v.string()));

/** The part of the runtime's endpoints file that this command needs. */
const Endpoints = v.object({
  region: v.string(),
  awsEndpoint: v.pipe(v.string(), v.url()),
  mqtt: v.object({ host: v.string(), port: v.number() }),
  rootCaFile: v.string(),
  operator: v.object({ accessKeyId: v.string(), secretAccessKey: v.string() }),
  outputs: v.optional(Outputs, {}),
});
export type Endpoints = v.InferOutput<typeof Endpoints>;

/** What commands work on: an AWS account and region, or a local runtime. */
export type Target =
  | { readonly kind: 'local'; readonly endpoints: Endpoints }
  | { readonly kind: 'aws'; readonly region: string | undefined; readonly profile: string | undefined };

/** Where the command keeps what it makes, below the working directory. */
export const STATE_FOLDER = '.thingstead';

/** True when a local runtime is meant and not AWS. */
export function isLocal(options: GlobalOptions): boolean {
  return options.local === true || options.endpoints !== undefined;
}

/** How the command is called for the same target. */
export function invocationFor({ local, endpoints, region, profile, outputs }: GlobalOptions): string {
  const options = [
    local && endpoints === undefined ? '--local' : undefined,
    endpoints === undefined ? undefined : `--endpoints ${endpoints}`,
    region === undefined ? undefined : `--region ${region}`,
    profile === undefined ? undefined : `--profile ${profile}`,
    outputs === undefined ? undefined : `--outputs ${outputs}`,
  ];
  return ['npx thingstead', ...options].filter((each) => each !== undefined).join(' ');
}

/** @throws CommandError when the local runtime is meant and its endpoints file is not there. */
export function resolveTarget(options: GlobalOptions): Target {
  if (!isLocal(options)) return { kind: 'aws', region: options.region, profile: options.profile };
  const file = options.endpoints ?? path.join(STATE_FOLDER, 'endpoints.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw notRunning(`${file} is not there; it exists while the runtime runs`, cause);
  }
  try {
    return { kind: 'local', endpoints: v.parse(Endpoints, JSON.parse(text)) };
  } catch (cause) {
    throw new CommandError('failed', `${file} is not an endpoints file of the local runtime.`, {
      next: 'npm start',
      cause,
    });
  }
}
