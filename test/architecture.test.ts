/** The import law of docs/architecture.md, executable: who may import whom. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { init, parse } from 'es-module-lexer';

const root = path.resolve(__dirname, '..');

interface Law {
  /** Folders of ours that it may import, beside itself. */
  readonly ours: readonly string[];
  /** Packages it may import. */
  readonly packages: readonly RegExp[];
  /** Packages of which it may import types only: they leave nothing at run time. */
  readonly types?: readonly RegExp[];
  readonly node: boolean;
}

const sdk = /^@aws-sdk\//;
const law: Readonly<Record<string, Law>> = {
  contracts: { ours: [], packages: [/^valibot$/], node: false },
  lib: {
    ours: ['contracts'],
    packages: [/^aws-cdk-lib/, /^constructs$/, /^cdk-nag$/, /^esbuild$/, /^valibot$/],
    node: true,
  },
  examples: { ours: ['client'], packages: [/^aws-cdk-lib/, /^mqtt$/], node: true },
  crypto: {
    ours: ['contracts'],
    packages: [/^@aws-crypto\//, /^@peculiar\/x509$/, /^reflect-metadata$/, /^valibot$/],
    node: true,
  },
  lambda: {
    ours: ['contracts', 'crypto'],
    packages: [
      /^@peculiar\/x509$/,
      /^reflect-metadata$/,
      /^@aws-lambda-powertools\//,
      /^aws-jwt-verify/,
      /^valibot$/,
      sdk,
      /^@aws-crypto\//,
    ],
    types: [/^aws-lambda$/],
    node: true,
  },
  device: {
    ours: ['contracts', 'crypto'],
    packages: [
      /^@peculiar\/x509$/,
      /^reflect-metadata$/,
      /^aws-iot-device-sdk-v2$/,
      /^aws-crt$/,
      /^valibot$/,
      /^uqr$/,
      /^@aws-crypto\//,
    ],
    node: true,
  },
  local: {
    ours: [],
    packages: [
      /^mqtt-packet$/,
      /^dynalite/,
      /^@smithy\//,
      /^@aws-crypto\//,
      /^fast-xml-parser$/,
      /^ws$/,
      /^@peculiar\/x509$/,
      /^reflect-metadata$/,
    ],
    types: [sdk, /^aws-lambda$/],
    node: true,
  },
  client: { ours: ['contracts'], packages: [/^valibot$/], node: false },
  cli: {
    ours: ['contracts', 'client', 'crypto'],
    packages: [sdk, /^cli-progress$/, /^commander$/, /^@peculiar\/x509$/, /^reflect-metadata$/, /^valibot$/],
    node: true,
  },
};
/** The CDK app's entry has lib's law and may import lib; the starter imports nothing of ours at all. */
const files: Readonly<Record<string, Law>> = {
  'bin/thingstead.ts': { ours: ['lib', 'contracts'], packages: [/^aws-cdk-lib/, /^cdk-nag$/], node: true },
  'bin/start.ts': { ours: [], packages: [], node: true },
  'bin/start/processes.ts': { ours: [], packages: [], node: true },
  'bin/start/demo.ts': { ours: [], packages: [], node: true },
  'bin/start/people.ts': { ours: [], packages: [], node: true },
  'bin/start/cost.ts': { ours: [], packages: [], node: true },
};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(source: string): readonly Import[] {
  const [imports] = parse(source);
  return imports.flatMap((each) =>
    'specifier' in each && typeof each.specifier === 'string'
      ? [{ specifier: each.specifier, typeOnly: 'typeOnly' in each && each.typeOnly }]
      : [],
  );
}

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules') && !name.includes('dist/'))
    .map((name) => path.join(folder, name))
    .filter((name) => statSync(path.join(root, name)).isFile());
}

/** What is wrong with an import, in words; undefined when it is lawful. */
function violation(file: string, rule: Law, { specifier, typeOnly }: Import): string | undefined {
  const own = file.split(path.sep)[0] ?? '';
  if (specifier.startsWith('.')) {
    const target = path.relative(root, path.resolve(root, path.dirname(file), specifier)).split(path.sep)[0] ?? '';
    return target === own || rule.ours.includes(target) ? undefined : `${file} imports ${specifier} of ${target}/`;
  }
  if (specifier.startsWith('@thingstead/')) {
    const target = specifier.split('/')[1] ?? '';
    return rule.ours.includes(target) ? undefined : `${file} imports ${specifier}`;
  }
  if (isBuiltin(specifier)) return rule.node ? undefined : `${file} imports ${specifier}`;
  if (rule.packages.some((allowed) => allowed.test(specifier))) return undefined;
  if (typeOnly && rule.types?.some((allowed) => allowed.test(specifier))) return undefined;
  return `${file} imports ${specifier}`;
}

beforeAll(() => init);

describe('import law', () => {
  it.each(Object.entries(law))('%s/ imports only what its row allows', (folder, rule) => {
    const sources = sourcesIn(folder);
    expect(sources.length).toBeGreaterThan(0);

    const found = sources.flatMap((file) =>
      importsOf(readFileSync(path.join(root, file), 'utf8')).map((each) => violation(file, rule, each)),
    );

    expect(found.filter((each) => each !== undefined)).toEqual([]);
  });

  it.each(Object.entries(files))('%s imports only what its row allows', (file, rule) => {
    const found = importsOf(readFileSync(path.join(root, file), 'utf8')).map((each) => violation(file, rule, each));

    expect(found.filter((each) => each !== undefined)).toEqual([]);
  });

  it('finds the three ways to break it', () => {
    const rule: Law = { ours: ['contracts'], packages: [], node: true };
    const found = importsOf(
      "import { a } from '../../lambda/x.ts';\nimport type { B } from 'aws-cdk-lib';\nconst c = await import('@thingstead/lambda/y');\n",
    ).map((each) => violation('device/src/main.ts', rule, each));

    expect(found).toEqual([
      'device/src/main.ts imports ../../lambda/x.ts of lambda/',
      'device/src/main.ts imports aws-cdk-lib',
      'device/src/main.ts imports @thingstead/lambda/y',
    ]);
  });

  it('keeps the AWS SDK in adapters and in the files that compose', () => {
    const wrong = sourcesIn('lambda').filter((file) => {
      const mayUse = file.startsWith('lambda/adapters/') || path.basename(file) === 'index.ts';
      return (
        !mayUse && importsOf(readFileSync(path.join(root, file), 'utf8')).some(({ specifier }) => sdk.test(specifier))
      );
    });

    expect(wrong).toEqual([]);
  });
});
