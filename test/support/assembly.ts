/** The cloud assembly that features run: the real `node bin/thingstead.ts`, bundles included, once per configuration. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
/** Tells the workers of one Jest run, and no other run, where the assemblies are. */
const FOLDER_VARIABLE = 'THINGSTEAD_TEST_ASSEMBLIES';

/** Makes an empty folder for the assemblies of this run. */
export function useAssemblyFolder(): void {
  process.env[FOLDER_VARIABLE] = mkdtempSync(path.join(tmpdir(), 'thingstead-assemblies-'));
}

/** Removes the assemblies of this run. */
export function forgetAssemblies(): void {
  rmSync(assemblyFolder(), { recursive: true, force: true });
}

function assemblyFolder(): string {
  const folder = process.env[FOLDER_VARIABLE];
  if (!folder) throw new Error(`${FOLDER_VARIABLE} is not set: tests with assemblies run under Jest's global set-up`);
  return folder;
}

/** Synthesizes with this CDK context (`thingstead:...` keys) and gives the folder. Test files may ask at the same time. */
export function synthesize(context: Readonly<Record<string, unknown>> = {}): string {
  const key = createHash('sha256').update(JSON.stringify(context)).digest('hex').slice(0, 16);
  const folder = path.join(assemblyFolder(), key);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  // The rules of CloudFormation are asked about the defaults; test/template/synthesis.test.ts asks them about other settings.
  const rules = Object.keys(context).length === 0 ? {} : { CDK_VALIDATION: 'false' };
  const { status, stderr } = spawnSync(process.execPath, ['bin/thingstead.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: draft,
      ...rules,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      THINGSTEAD_BUNDLES: path.join(assemblyFolder(), 'bundles'),
    },
  });
  if (status !== 0) throw new Error(`synthesis failed:\n${stderr}`);
  try {
    renameSync(draft, folder);
  } catch {
    // Another test file was faster; its assembly is the same.
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/** A copy of an assembly in which the template of one stack was changed by `edit`. */
export function withEditedTemplate(assembly: string, stack: string, edit: (template: Template) => void): string {
  const folder = `${assembly}.edited.${process.pid}.${Date.now()}`;
  const copied = spawnSync('cp', ['-r', assembly, folder]);
  if (copied.status !== 0) throw new Error(`could not copy ${assembly}`);
  const file = path.join(folder, `${stack}.template.json`);
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  edit(template);
  writeFileSync(file, JSON.stringify(template));
  return folder;
}

export interface Template {
  readonly Resources: Record<string, { Type: string; Properties?: Record<string, unknown>; [key: string]: unknown }>;
}
