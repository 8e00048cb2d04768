/**
 * Writes docs/openapi.json, the REST API in OpenAPI 3.1, from the route contracts. `node scripts/openapi.ts` writes;
 * `node scripts/openapi.ts --check` exits 1 when the document is not up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openApiDocument } from './openapi/document.ts';

const file = path.join(import.meta.dirname, '..', 'docs', 'openapi.json');
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) process.exit(0);
  process.stderr.write('docs/openapi.json is not what the routes are: run "node scripts/openapi.ts".\n');
  process.exit(1);
}
writeFileSync(file, text);
