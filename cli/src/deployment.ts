/** Where people of a deployment sign in and call: known without any AWS credentials. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { CommandError } from './command-error.ts';
import { type GlobalOptions, isLocal, Outputs, resolveTarget } from './target.ts';

export interface Deployment {
  readonly userPoolId: string;
  readonly appClientId: string;
  readonly apiUrl: string;
  /** Of the local runtime; undefined on AWS. */
  readonly endpoint: string | undefined;
}

const Needed = v.object({ UserPoolId: v.string(), AppClientId: v.string(), ApiUrl: v.pipe(v.string(), v.url()) });

/** @throws CommandError when the deployment is not known, or has no people */
export function resolveDeployment(options: GlobalOptions): Deployment {
  const target = resolveTarget(options);
  const stacks = target.kind === 'local' ? target.endpoints.outputs : readOutputs(options.outputs);
  const found = v.safeParse(Needed, Object.assign({}, ...Object.values(stacks)));
  if (!found.success) {
    throw new CommandError('failed', 'This deployment has no REST API with people.', {
      causes: found.issues.map((issue) => `the output ${v.getDotPath(issue)} is missing`),
      next: isLocal(options) ? 'npm start' : 'npx cdk deploy --all --outputs-file outputs.json',
    });
  }
  const { UserPoolId: userPoolId, AppClientId: appClientId, ApiUrl: apiUrl } = found.output;
  return {
    userPoolId,
    appClientId,
    apiUrl,
    endpoint: target.kind === 'local' ? target.endpoints.awsEndpoint : undefined,
  };
}

function readOutputs(file = process.env.THINGSTEAD_OUTPUTS): v.InferOutput<typeof Outputs> {
  if (file === undefined) {
    throw new CommandError('usage', 'Which deployment? People have no AWS credentials to ask with.', {
      causes: ['for the local runtime of this checkout, put --local before the command'],
      next: 'npx cdk deploy --all --outputs-file outputs.json, and the same with --outputs outputs.json',
    });
  }
  try {
    return v.parse(Outputs, JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new CommandError('failed', `${file} is not what "cdk deploy --outputs-file" writes.`, {
      causes: [cause instanceof Error ? cause.message : String(cause)],
      cause,
    });
  }
}
