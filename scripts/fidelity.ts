/**
 * Writes the lists in docs/fidelity.md from the runtime itself: operations by service, properties by resource type.
 * `node scripts/fidelity.ts` writes; `node scripts/fidelity.ts --check` exits 1 when the page is not up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalIam } from '../local/src/iam/local-iam.ts';
import { AwsError } from '../local/src/kernel/errors.ts';
import { Kernel } from '../local/src/kernel/kernel.ts';
import type { AnyOperation, Operation } from '../local/src/kernel/service.ts';
import { createLog } from '../local/src/log.ts';
import { registerServices, resourceHandlers } from '../local/src/services/index.ts';
import type { PropertySpec } from '../local/src/template/resource-handler.ts';
import { Stacks } from '../local/src/template/stacks.ts';

const page = path.join(import.meta.dirname, '..', 'docs', 'fidelity.md');
const account = { region: 'us-east-1', accountId: '123456789012' };

function emptyKernel(): Kernel {
  const iam = new LocalIam({ ...account, now: () => Date.now() });
  const kernel = new Kernel({ ...account, endpoint: 'http://127.0.0.1', log: createLog(false, 'error') }, () => iam);
  const tls = { key: '', cert: '', rootCaFile: '' };
  registerServices(kernel, {
    iam,
    stacks: new Stacks(),
    host: '127.0.0.1',
    ports: { aws: 0, mqtt: 0, deviceHttps: 0, api: 0 },
    tls,
  });
  return kernel;
}

/** Operations that services ask of each other do not exist for a user. */
function isForUsers(operation: AnyOperation, { accountId }: typeof account): boolean {
  const caller = { kind: 'user', arn: '', accountId, userName: '' } as const;
  try {
    // Only the refusal is of interest; what else an empty input may be is not.
    (operation as unknown as Operation<unknown, unknown>).permissions({}, { caller, requestId: '' });
    return true;
  } catch (error) {
    return !(error instanceof AwsError && error.code === 'NotEmulated');
  }
}

function operations(): string {
  const kernel = emptyKernel();
  const rows = kernel.services
    .filter((service) => service.protocols.length > 0)
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, operations: all }) => {
      const names = Object.keys(all).filter((each) => {
        const operation = all[each];
        return operation !== undefined && isForUsers(operation, account);
      });
      return `| \`${name}\` | ${names.toSorted().join(', ')} |`;
    });
  void kernel.close();
  return ['| service | operations |', '|---|---|', ...rows].join('\n');
}

/** The paths of a specification, those without effect in italics. */
function paths(spec: PropertySpec, prefix: string): readonly string[] {
  if (spec === 'executed') return [prefix];
  if (spec === 'declared') return [`*${prefix}*`];
  if (Array.isArray(spec)) return spec.flatMap((each: PropertySpec) => paths(each, `${prefix}[]`));
  const members = Object.entries(spec);
  // A long branch is named once: its members are in the handler.
  if (members.length > 8 && prefix.includes('.')) return [`${prefix}.{${members.map(([name]) => name).join(', ')}}`];
  return members.flatMap(([name, inner]) => paths(inner, prefix === '' ? name : `${prefix}.${name}`));
}

function resourceTypes(): string {
  const rows = resourceHandlers
    .toSorted((a, b) => a.type.localeCompare(b.type))
    .map(({ type, properties, declaredOnly }) => {
      const listed = declaredOnly ? '*declared only*' : paths(properties, '').join(', ');
      return `| \`${type}\` | ${listed} |`;
    });
  return ['| type | properties |', '|---|---|', ...rows].join('\n');
}

/** Replaces what stands between the two comments of a list. */
function withList(text: string, name: string, list: string): string {
  const [begin, end] = [`<!-- list: ${name} -->`, `<!-- end: ${name} -->`];
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/fidelity.md has no list "${name}"`);
  return `${text.slice(0, start + begin.length)}\n${list}\n${text.slice(stop)}`;
}

const before = readFileSync(page, 'utf8');
const after = withList(withList(before, 'operations', operations()), 'resource types', resourceTypes());
if (process.argv.includes('--check')) {
  if (after === before) process.exit(0);
  process.stderr.write('docs/fidelity.md is not what the runtime does: run "node scripts/fidelity.ts".\n');
  process.exit(1);
}
writeFileSync(page, after);
