import { readFileSync } from 'node:fs';
import { ManifestEntry } from '@thingstead/contracts/registration';
import { validate } from '@thingstead/contracts/validate';
import { CommandError } from './command-error.ts';

const COLUMNS = ['thing', 'certificateId', 'caCertificateId', 'thingType'];
const ATTRIBUTE = 'attribute.';

/**
 * Reads a list of manifest entries: a JSON array of objects, or CSV whose header names the members, attributes as
 * `attribute.<name>`. Fields hold no commas; quotes have no meaning.
 *
 * @throws CommandError (usage) that names every line that is wrong; then nothing is added.
 */
export function readManifestFile(file: string, addedAt: number): readonly ManifestEntry[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError('usage', `${file} cannot be read.`, { cause });
  }
  const raw = file.endsWith('.csv') ? parseCsv(text, file) : parseJson(text, file);
  const checked = raw.map((each) => validate(ManifestEntry, typeof each === 'object' ? { ...each, addedAt } : each));
  const problems = checked.flatMap((each, index) => (each.ok ? [] : `entry ${index + 1}: ${each.reason}`));
  if (problems.length > 0) {
    throw new CommandError('usage', `${problems.length} entries of ${file} are not good; nothing was added.`, {
      causes: problems,
    });
  }
  return checked.flatMap((each) => (each.ok ? each.value : []));
}

function parseJson(text: string, file: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError('usage', `${file} is not JSON.`, { cause });
  }
  if (Array.isArray(value)) return value;
  throw new CommandError('usage', `${file} must hold an array of entries.`);
}

function parseCsv(text: string, file: string): readonly unknown[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const columns = header.split(',').map((each) => each.trim());
  const unknown = columns.filter((each) => !COLUMNS.includes(each) && !each.startsWith(ATTRIBUTE));
  if (unknown.length > 0 || !columns.includes('thing')) {
    throw new CommandError('usage', `The header of ${file} is not good.`, {
      causes: [
        unknown.length > 0 ? `unknown columns: ${unknown.join(', ')}` : 'the column "thing" is missing',
        `known are ${COLUMNS.join(', ')}, ${ATTRIBUTE}<name>`,
      ],
    });
  }
  return lines.map((line) => {
    const fields = line.split(',').map((each) => each.trim());
    const filled = columns.flatMap((column, index) => (fields[index] ? [[column, fields[index]] as const] : []));
    const attributes = filled
      .filter(([column]) => column.startsWith(ATTRIBUTE))
      .map(([column, value]) => [column.slice(ATTRIBUTE.length), value]);
    return {
      ...Object.fromEntries(filled.filter(([column]) => !column.startsWith(ATTRIBUTE))),
      ...(attributes.length > 0 ? { attributes: Object.fromEntries(attributes) } : {}),
    };
  });
}
