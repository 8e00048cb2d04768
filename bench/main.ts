/**
 * `npm run bench [-- figure ...] [--json]`: measures, and prints each figure beside its peers.
 * `npm run bench -- soak [...]` is no figure but a long test: soak.ts.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { agent } from './figures/agent.ts';
import { api } from './figures/api.ts';
import { bundles } from './figures/bundles.ts';
import { connections } from './figures/connections.ts';
import { joins } from './figures/joins.ts';
import { memory } from './figures/memory.ts';
import { presence } from './figures/presence.ts';
import { refusals } from './figures/refusals.ts';
import { returning } from './figures/returning.ts';
import { rollouts } from './figures/rollouts.ts';
import { sql } from './figures/sql.ts';
import { start } from './figures/start.ts';
import { telemetry } from './figures/telemetry.ts';
import { wire } from './figures/wire.ts';
import { runSoak } from './soak.ts';
import { type Row, say } from './support/figure.ts';

const FIGURES = [
  telemetry,
  sql,
  joins,
  returning,
  start,
  memory,
  connections,
  bundles,
  agent,
  wire,
  presence,
  api,
  refusals,
  rollouts,
];

if (process.argv[2] === 'soak') process.exit(await runSoak(process.argv.slice(3)));

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !FIGURES.some((figure) => figure.name === name));
if (unknown.length > 0) {
  say(`no figure ${unknown.join(', ')}; there are ${FIGURES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const machine = {
  processor: os.cpus()[0]?.model ?? 'unknown',
  cores: os.availableParallelism(),
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
  loadAverage: os.loadavg()[0] ?? 0,
};
if (machine.loadAverage > 0.5)
  say(`The machine is busy already (load ${machine.loadAverage.toFixed(1)}): figures will be too low.`);
const results = [];
for (const figure of FIGURES) {
  if (positionals.length > 0 && !positionals.includes(figure.name)) continue;
  const rows = await figure.measure();
  results.push({ figure: figure.name, title: figure.title, rows });
  if (!values.json) print(figure.title, rows);
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine, results }, null, 2)}\n`);
else
  process.stdout.write(
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Node.js ${machine.node}\n`,
  );
process.exit(0);

function print(title: string, rows: readonly Row[]): void {
  const lines = rows.map(({ what, value, unit, aim }) => {
    const number = value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
    return `| ${what} | ${number} ${unit} | ${aim ?? ''} |`;
  });
  process.stdout.write(`\n### ${title}\n\n| | measured | aim |\n|---|---:|---|\n${lines.join('\n')}\n\n`);
}
