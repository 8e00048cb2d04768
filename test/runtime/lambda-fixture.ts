/** Cloud assemblies with functions, for tests of Lambda: written as the synthesizer writes them. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Runtime, type RuntimeOptions, startRuntime } from '../support/runtime.ts';

type Properties = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly Type: string;
  readonly Properties?: Properties;
  readonly DependsOn?: string | readonly string[];
}

export interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

export interface FunctionOptions {
  /** Inline code (CommonJS or ES module), or files of an asset. */
  readonly code: string | Readonly<Record<string, string>>;
  /** What the role may do beside writing its log. */
  readonly allow?: readonly Statement[];
  /** False: the role may not write its log. */
  readonly mayLog?: boolean;
  readonly properties?: Properties;
}

const writeLog: Statement = {
  Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: '*',
};

/** Collects the resources of one stack and starts a runtime with it. */
export class Assembly {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-functions-'));
  readonly #resources: Record<string, Resource> = {};
  readonly #files: Record<string, unknown> = {};
  readonly #outputs: Record<string, { readonly Value: unknown }> = {};

  add(logicalId: string, Type: string, Properties: Properties = {}, DependsOn: readonly string[] = []): this {
    this.#resources[logicalId] = { Type, Properties, ...(DependsOn.length > 0 && { DependsOn }) };
    return this;
  }

  /** What `runtime.endpoints.outputs.Test` has after the start. */
  addOutput(name: string, Value: unknown): this {
    this.#outputs[name] = { Value };
    return this;
  }

  /** A function named like its logical id, with a role and policy of its own. */
  addFunction(id: string, { code, allow = [], mayLog = true, properties = {} }: FunctionOptions): this {
    const statements = [...(mayLog ? [writeLog] : []), ...allow].map((each) => ({ Effect: 'Allow', ...each }));
    this.add(`${id}Role`, 'AWS::IAM::Role', {
      RoleName: `${id}-role`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
      },
      Policies:
        statements.length > 0
          ? [{ PolicyName: 'allow', PolicyDocument: { Version: '2012-10-17', Statement: statements } }]
          : [],
    });
    return this.add(id, 'AWS::Lambda::Function', {
      FunctionName: id,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
      Code: typeof code === 'string' ? { ZipFile: code } : this.#asset(id, code),
      ...properties,
    });
  }

  #asset(id: string, files: Readonly<Record<string, string>>): Properties {
    const asset = path.join(this.folder, `asset.${id}`);
    mkdirSync(asset);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(asset, name), text);
    const destination = { bucketName: 'assets', objectKey: `${id}.zip` };
    this.#files[id] = {
      displayName: id,
      source: { path: `asset.${id}`, packaging: 'zip' },
      destinations: { 'current_account-current_region': destination },
    };
    return { S3Bucket: 'assets', S3Key: `${id}.zip` };
  }

  write(): string {
    const { folder } = this;
    const template = { Resources: this.#resources, Outputs: this.#outputs };
    const artifacts = {
      'Test.assets': { type: 'cdk:asset-manifest', properties: { file: 'Test.assets.json' } },
      Test: {
        type: 'aws:cloudformation:stack',
        environment: 'aws://unknown-account/unknown-region',
        properties: { templateFile: 'Test.template.json' },
        dependencies: ['Test.assets'],
      },
    };
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts }));
    writeFileSync(
      path.join(folder, 'Test.assets.json'),
      JSON.stringify({ version: '1', files: this.#files, dockerImages: {} }),
    );
    writeFileSync(path.join(folder, 'Test.template.json'), JSON.stringify(template));
    return folder;
  }

  start(options: RuntimeOptions = {}): Promise<Runtime> {
    return startRuntime({ ...options, assembly: this.write() });
  }
}

/** `Fn::GetAtt` of the ARN. */
export const arnOf = (logicalId: string): unknown => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
