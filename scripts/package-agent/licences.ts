import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Licences that ask no more than to be passed on. */
const ACCEPTED = new Set(['Apache-2.0', 'MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);

/**
 * Writes what the licences of the packages ask for: their texts and notices, and a list.
 *
 * @throws Error for a licence that nobody has looked at.
 */
export function writeLicences(packages: readonly string[], folder: string): void {
  const lines = packages.map((source) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8'));
    if (!ACCEPTED.has(license)) throw new Error(`${name} ${version} has licence ${license}, which is not accepted yet`);
    const texts = readdirSync(source).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    const target = path.join(folder, name.replace('/', '__'));
    mkdirSync(target, { recursive: true });
    for (const file of texts) copyFileSync(path.join(source, file), path.join(target, file));
    return `${name} ${version}: ${license}${texts.length > 0 ? '' : ' (it comes without a text; see LICENSE)'}`;
  });
  writeFileSync(path.join(folder, 'LIST.txt'), `${lines.join('\n')}\n`);
}
