import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { AssetHashType, DockerImage, type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { allow } from './allow.ts';
import { BUNDLE, bundlesOf } from './function-bundles.ts';

export interface NodeFunctionProps {
  /** The folder of one function: its `index.ts` exports `handler`. */
  readonly folder: string;
  readonly functionName: string;
  readonly description: string;
  readonly timeout: Duration;
  readonly memoryMegabytes: number;
  readonly logRetention: RetentionDays;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A function as all of ours are: bundled by esbuild in this process, with its SDK clients, for Node.js 24 on arm64; with a
 * log group of its own, and a role that may write to it and nothing else.
 */
export class NodeFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    allow(this.role, ['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn);
    this.function = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: bundle(props.folder),
      role: this.role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMegabytes,
      environment: { ...props.environment },
    });
  }
}

function bundle(folder: string): Code {
  return Code.fromAsset(folder, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the local bundling below always does it.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(outputFolder) {
          const bundled = path.join(bundlesOf(path.dirname(folder)), path.basename(folder), BUNDLE);
          mkdirSync(outputFolder, { recursive: true });
          copyFileSync(bundled, path.join(outputFolder, BUNDLE));
          return true;
        },
      },
    },
  });
}
