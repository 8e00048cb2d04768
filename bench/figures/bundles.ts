import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { REGISTRATION_ENVIRONMENT, TELEMETRY_ENVIRONMENT } from '@thingstead/contracts/environment';
import { buildSync } from 'esbuild';
import { BUNDLE_OPTIONS } from '../../lib/function-bundles.ts';
import { platformAssembly, temporaryPath } from '../support/assembly.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { root } from '../support/process.ts';

const ROUNDS = 21;

/** What each function takes from the SDK; its peer takes the same, makes the clients and does nothing with them. */
const FUNCTIONS = [
  {
    name: 'registration',
    environment: REGISTRATION_ENVIRONMENT,
    clients: ['DynamoDBClient', 'IoTClient'],
    sdk: {
      '@aws-sdk/client-dynamodb': ['DynamoDBClient', 'ConditionalCheckFailedException'],
      '@aws-sdk/lib-dynamodb': ['DynamoDBDocumentClient', 'DeleteCommand', 'GetCommand', 'PutCommand', 'UpdateCommand'],
      '@aws-sdk/client-iot': [
        'IoTClient',
        'AttachPolicyCommand',
        'AttachThingPrincipalCommand',
        'CreateThingCommand',
        'DescribeCACertificateCommand',
        'DescribeCertificateCommand',
        'DescribeThingCommand',
        'UpdateCertificateCommand',
        'UpdateThingCommand',
      ],
    },
  },
  {
    name: 'telemetry',
    environment: TELEMETRY_ENVIRONMENT,
    clients: ['DynamoDBClient', 'SQSClient'],
    sdk: {
      '@aws-sdk/client-dynamodb': ['DynamoDBClient', 'ConditionalCheckFailedException'],
      '@aws-sdk/lib-dynamodb': ['DynamoDBDocumentClient', 'GetCommand', 'PutCommand'],
      '@aws-sdk/client-sqs': ['SQSClient', 'SendMessageCommand'],
    },
  },
] as const;

interface Candidate {
  readonly what: string;
  readonly file: string;
  readonly environment: readonly string[];
  readonly milliseconds: number[];
}

/** Bytes of each function's bundle, and how long a new Node.js process takes to load it. */
export const bundles: Figure = {
  name: 'bundles',
  title: `Bundles of the functions; load time in a new Node.js process, median of ${ROUNDS}`,
  async measure() {
    say('bundles: load times');
    const files = functionBundles(await platformAssembly());
    const empty: Candidate = candidate(
      'peer: an empty handler',
      bundleText('export const handler = async () => {};'),
      [],
    );
    const pairs = FUNCTIONS.map((each) => ({
      own: candidate(each.name, files(each.name), each.environment),
      peer: candidate(`peer of ${each.name}: only its SDK clients`, bundleText(clientsOnly(each)), []),
    }));
    const all = [empty, ...pairs.flatMap(({ own, peer }) => [own, peer])];
    // In turn, so that what else the machine does falls on all alike.
    for (let round = 0; round < ROUNDS; round += 1) for (const each of all) each.milliseconds.push(loadTime(each));
    const ratios = pairs.map(
      ({ own, peer }): Row => ({
        what: `${own.what}, to its peer`,
        value: median(own) / median(peer),
        unit: 'times',
        aim: '< 1.3',
      }),
    );
    return [...all.flatMap(rows), ...ratios];
  },
};

function candidate(what: string, file: string, environment: readonly string[]): Candidate {
  return { what, file, environment, milliseconds: [] };
}

function median({ milliseconds }: Candidate): number {
  return percentile(milliseconds, 0.5);
}

function rows(each: Candidate): Row[] {
  return [
    { what: `${each.what}, bytes`, value: statSync(each.file).size, unit: 'bytes' },
    { what: `${each.what}, load time`, value: median(each), unit: 'ms' },
  ];
}

/** Finds the file of a function in an assembly, by the name that the template gives it. */
function functionBundles(assembly: string): (name: string) => string {
  const template = JSON.parse(readFileSync(path.join(assembly, 'ThingsteadPlatform.template.json'), 'utf8'));
  const resources = Object.values<{ Properties?: { FunctionName?: unknown; Code?: { S3Key?: string } } }>(
    template.Resources,
  );
  return (name) => {
    const found = resources.find(({ Properties }) => Properties?.FunctionName === `thingstead-${name}`);
    const hash = found?.Properties?.Code?.S3Key?.replace('.zip', '');
    if (!hash) throw new Error(`no function thingstead-${name}`);
    return path.join(assembly, `asset.${hash}`, 'index.mjs');
  };
}

function clientsOnly({ sdk, clients }: (typeof FUNCTIONS)[number]): string {
  const modules = Object.entries<readonly string[]>(sdk);
  const imports = modules.map(([module, names]) => `import { ${names.join(', ')} } from '${module}';`);
  const used = modules.flatMap(([, names]) => names).filter((name) => !clients.some((client) => client === name));
  const made = clients.map((client) => `new ${client}({})`);
  return `${imports.join('\n')}\nconst used = [${[...made, ...used].join(', ')}];\nexport const handler = async () => used.length;`;
}

/** With the options of the functions' own bundles. */
function bundleText(contents: string): string {
  const folder = temporaryPath('peer-bundle');
  const outfile = path.join(folder, 'index.mjs');
  buildSync({
    ...BUNDLE_OPTIONS,
    stdin: { contents, resolveDir: path.join(root, 'lambda') },
    outfile,
  });
  return outfile;
}

function loadTime({ file, environment }: Candidate): number {
  const script = `const t=performance.now();await import(${JSON.stringify(pathToFileURL(file).href)});console.log(performance.now()-t)`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      AWS_REGION: 'us-east-1',
      ...Object.fromEntries(environment.map((key) => [key, settingFor(key)])),
    },
  });
  const milliseconds = Number(stdout.trim().split('\n').at(-1));
  if (!stdout || Number.isNaN(milliseconds)) throw new Error(`${file} does not load:\n${stderr}`);
  return milliseconds;
}

/** A value with which a function starts. */
function settingFor(key: string): string {
  if (key === 'MANIFEST') return 'required';
  return /DAYS|PER_HOUR/.test(key) ? '30' : key.toLowerCase();
}
