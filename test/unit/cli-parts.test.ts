import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { CommandError } from '../../cli/src/command-error.ts';
import { explainError } from '../../cli/src/explain-error.ts';
import { readManifestFile } from '../../cli/src/manifest-file.ts';
import { createOutput } from '../../cli/src/output.ts';
import { type Column, formatTable } from '../../cli/src/table.ts';

interface Row {
  readonly name: string;
  readonly status: string;
  readonly id: string;
}
const columns: readonly Column<Row>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'STATUS', value: (row) => row.status, fixed: true },
  { title: 'ID', value: (row) => row.id },
];

describe('a table', () => {
  it('is aligned, and as wide as it needs to be where there is no terminal', () => {
    const rows = [
      { name: 'barn1', status: 'ACTIVE', id: 'a'.repeat(64) },
      { name: 'greenhouse', status: 'REVOKED', id: 'b' },
    ];
    expect(formatTable(columns, rows, Number.POSITIVE_INFINITY)).toEqual([
      'NAME        STATUS   ID',
      `barn1       ACTIVE   ${'a'.repeat(64)}`,
      'greenhouse  REVOKED  b',
    ]);
  });

  it('shortens its widest columns on a terminal, and never the fixed ones', () => {
    const rows = [{ name: 'barn1', status: 'PENDING_ACTIVATION', id: 'a'.repeat(64) }];
    const [, line] = formatTable(columns, rows, 40);
    expect(line).toBe('barn1  PENDING_ACTIVATION  aaaaaaaaaaaa…');
  });

  it('fits any terminal that has room for the fixed columns and a little of the others', () => {
    const text = fc.string({ maxLength: 80 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: text, status: fc.constant('ACTIVE'), id: text })),
        fc.integer({ min: 30, max: 120 }),
        (rows, width) => {
          const lines = formatTable(columns, rows, width);
          expect(lines).toHaveLength(rows.length + 1);
          for (const line of lines) {
            expect(line.length).toBeLessThanOrEqual(width);
            expect(line).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
    );
  });
});

describe('output', () => {
  const written = (json: boolean) => {
    const text = { stdout: '', stderr: '' };
    const output = createOutput(json, {
      stdout: (each) => {
        text.stdout += each;
      },
      stderr: (each) => {
        text.stderr += each;
      },
      width: undefined,
      colour: false,
    });
    return { text, output };
  };
  const rows = [{ name: 'barn1', status: 'ACTIVE', id: 'x' }];

  it('is one line of JSON per row with --json', () => {
    const { text, output } = written(true);
    output.table(columns, [...rows, ...rows], 'nothing');
    expect(
      text.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([...rows, ...rows]);
  });

  it('keeps talk off stdout, also when there is nothing to show', () => {
    const { text, output } = written(false);
    output.table(columns, [], 'There is nothing.');
    output.problem(new CommandError('offline', 'It is off.', { causes: ['power'], next: 'thingstead watch' }), false);
    expect(text).toEqual({
      stdout: '',
      stderr: 'There is nothing.\nerror: It is off.\n  cause: power\n  next:  npx thingstead watch\n',
    });
  });
});

describe('an error of AWS', () => {
  const named = (name: string, message = 'words', extra: object = {}) =>
    Object.assign(new Error(message), { name }, extra);

  it.each([
    [named('CredentialsProviderError'), 3],
    [named('ExpiredTokenException'), 3],
    [named('AccessDeniedException'), 3],
    [named('ResourceNotFoundException', 'Thing x does not exist'), 4],
    [named('ResourceAlreadyExistsException'), 5],
    [named('CertificateStateException'), 5],
    [named('ThrottlingException'), 1],
    [new Error('Region is missing'), 2],
  ])('%s becomes an exit code', (error, code) => {
    expect(explainError(error, false).exitCode).toBe(code);
  });

  it('is a runtime that is not running when a local port is closed', () => {
    const error = explainError(named('Error', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' }), true);
    expect(error).toMatchObject({ message: 'The local runtime is not running.', next: 'npm start', exitCode: 1 });
  });

  it('is a platform that is not deployed when a table is missing', () => {
    const error = explainError(named('ResourceNotFoundException', 'Requested resource not found'), false);
    expect(error).toMatchObject({ exitCode: 4, next: 'npx cdk deploy --all' });
  });
});

describe('a list for the manifest', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-manifest-'));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const id = 'ab'.repeat(32);

  it('is read from CSV, with attributes', () => {
    const csv = file('a.csv', `thing,certificateId,thingType,attribute.batch\nbarn1,${id},,b7\r\nbarn2,,greenhouse,\n`);
    expect(readManifestFile(csv, 5)).toEqual([
      { thing: 'barn1', certificateId: id, attributes: { batch: 'b7' }, addedAt: 5 },
      { thing: 'barn2', thingType: 'greenhouse', addedAt: 5 },
    ]);
  });

  it('is read from JSON', () => {
    const json = file('a.json', JSON.stringify([{ thing: 'barn1', attributes: { batch: 'b7' } }]));
    expect(readManifestFile(json, 5)).toEqual([{ thing: 'barn1', attributes: { batch: 'b7' }, addedAt: 5 }]);
  });

  it('is refused as a whole, with every line that is wrong', () => {
    const csv = file('b.csv', 'thing,certificateId\nbarn 1,\nbarn2,\nbarn3,abc\n');
    expect(() => readManifestFile(csv, 5)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        causes: [expect.stringMatching(/^entry 1: thing: /), expect.stringMatching(/^entry 3: certificateId: /)],
      }),
    );
  });

  it('is refused for a column that nobody knows', () => {
    expect(() => readManifestFile(file('c.csv', 'thing,colour\nbarn1,red\n'), 5)).toThrow(
      expect.objectContaining({ causes: expect.arrayContaining(['unknown columns: colour']) }),
    );
  });
});
