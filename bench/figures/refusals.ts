import { WRONG_BODIES } from '../../test/features/access/wrong-bodies.ts';
import { newPerson, type Person } from '../../test/support/person.ts';
import { synthesize, UNTHROTTLED } from '../support/assembly.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { deployed, startRuntime } from '../support/runtime.ts';

const REQUESTS = 200;
const AIM = '< 50 ms';

/** How long it takes until a body that no route takes is refused, one request at a time. */
export const refusals: Figure = {
  name: 'refusals',
  title: `Bodies that are refused: ${REQUESTS} requests each, one at a time`,
  async measure() {
    const runtime = await startRuntime(await synthesize(UNTHROTTLED), { quiet: true });
    try {
      const person = await newPerson(deployed(runtime));
      const rows = await times(person, 'peer: no such route, answered by the gateway', {
        path: '/nothing',
        status: 404,
      });
      for (const [what, text] of WRONG_BODIES) {
        const ours = await times(person, `a body ${what}`, { path: '/things/lamp1/commands', status: 400, text });
        rows.push(...ours.map((row) => ({ ...row, aim: AIM })));
      }
      return rows;
    } finally {
      await runtime.stop();
    }
  },
};

/** @throws Error for another status than this */
async function times(
  person: Person,
  what: string,
  { path, status, text = '{}' }: { readonly path: string; readonly status: number; readonly text?: string },
): Promise<Row[]> {
  say(`refusals: ${what}`);
  await person.refresh();
  const milliseconds: number[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const begun = performance.now();
    const answer = await person.call('POST', path, text);
    milliseconds.push(performance.now() - begun);
    if (answer.status !== status) throw new Error(`POST ${path}, ${what}, answered ${answer.status}`);
  }
  return [
    { what: `${what}, p50`, value: percentile(milliseconds, 0.5), unit: 'ms' },
    { what: `${what}, p99`, value: percentile(milliseconds, 0.99), unit: 'ms' },
  ];
}
