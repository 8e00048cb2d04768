/** Reads a cloud assembly: the folder that `cdk synth` writes (https://docs.aws.amazon.com/cdk/v2/guide/deploy.html). */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inOrder } from './order.ts';
import type { AssetSource } from './resource-handler.ts';
import type { Template } from './template.ts';

/** A stack of the assembly, before anything in it is understood. */
export interface AssemblyStack {
  readonly name: string;
  readonly template: Template;
  /** Account and region that the stack is bound to; undefined where it may go anywhere. */
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly assets: AssetSource;
}

/** A folder that is no cloud assembly, or one that cannot be read. */
export class AssemblyError extends Error {}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly directoryName?: string;
    readonly file?: string;
    readonly parameters?: Readonly<Record<string, string>>;
    readonly tags?: Readonly<Record<string, string>>;
  };
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

/** All stacks in the order of their dependencies, those of nested assemblies (stages) included. Throws AssemblyError. */
export function readAssembly(folder: string): readonly AssemblyStack[] {
  const file = path.join(folder, 'manifest.json');
  if (!existsSync(file)) {
    throw new AssemblyError(`${folder} is not a cloud assembly: it has no manifest.json. Run "npx cdk synth" first.`);
  }
  const { artifacts = {} } = readJson<{ readonly artifacts?: Readonly<Record<string, Artifact>> }>(file);
  const assets = readAssets(folder, Object.values(artifacts));
  const ids = inOrder(Object.keys(artifacts), (id) => artifacts[id]?.dependencies ?? []);
  if (!ids.ordered) throw new AssemblyError(`${file}: the artifacts ${ids.cycle.join(', ')} depend on each other`);
  return ids.ordered.flatMap((id) => {
    const artifact = artifacts[id];
    if (artifact?.type === 'cdk:cloud-assembly')
      return readAssembly(path.join(folder, artifact.properties?.directoryName ?? ''));
    return artifact?.type === 'aws:cloudformation:stack' ? [readStack(folder, id, artifact, assets)] : [];
  });
}

function readStack(folder: string, id: string, artifact: Artifact, assets: AssetSource): AssemblyStack {
  const { templateFile, stackName = id, parameters = {}, tags = {} } = artifact.properties ?? {};
  if (templateFile === undefined) throw new AssemblyError(`${folder}/manifest.json: ${id} has no templateFile`);
  const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(artifact.environment ?? '') ?? [];
  return {
    name: stackName,
    template: readJson<Template>(path.join(folder, templateFile)),
    accountId: account === 'unknown-account' ? undefined : account,
    region: region === 'unknown-region' ? undefined : region,
    parameters,
    tags,
    assets,
  };
}

function readAssets(folder: string, artifacts: readonly Artifact[]): AssetSource {
  const paths = new Map<string, string>();
  for (const { type, properties } of artifacts) {
    if (type !== 'cdk:asset-manifest' || properties?.file === undefined) continue;
    const { files = {} } = readJson<AssetManifest>(path.join(folder, properties.file));
    for (const { source, destinations } of Object.values(files)) {
      if (source.path === undefined) continue;
      const absolute = path.resolve(folder, source.path);
      for (const { objectKey } of Object.values(destinations)) paths.set(objectKey, absolute);
    }
  }
  return { findAsset: (objectKey) => paths.get(objectKey) };
}

function readJson<T>(file: string): T {
  try {
    // The assembly is what `cdk synth` wrote; what is in a template is checked when the plan is made.
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (cause) {
    throw new AssemblyError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
