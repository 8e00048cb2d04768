import { readPlatformConfig } from '../../lib/platform-config.ts';
import { telemetrySql } from '../../lib/telemetry-sql.ts';
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import { RuleMessage } from '../../local/src/services/iot/rules/sql/rule-message.ts';
import type { Figure, Row } from '../support/figure.ts';

const ROUNDS = 200_000;

const STATEMENTS: Readonly<Record<string, string>> = {
  'SELECT *': "SELECT * FROM 'device/+/sensor/+/v1'",
  "the platform's telemetry statement": telemetrySql(readPlatformConfig({})).join('\n'),
  'a WHERE that skips': "SELECT * FROM 'device/+/sensor/+/v1' WHERE value > 100 AND unit = 'Cel'",
  'a nested SELECT': "SELECT (SELECT VALUE v FROM readings WHERE v > 2) AS high FROM 'device/+/sensor/+/v1'",
};

const payload = Buffer.from(
  JSON.stringify({
    id: '0b1f6a1c-17',
    value: 21.5,
    unit: 'Cel',
    time: 1_700_000_000_000,
    readings: [{ v: 1 }, { v: 2.5 }, { v: 3 }],
  }),
);

function message(): RuleMessage {
  return new RuleMessage({
    topic: 'device/macdonald-sensor123/sensor/temperature/v1',
    payload,
    qos: 1,
    retain: false,
    properties: {},
    clientId: 'macdonald-sensor123',
    principal: 'a'.repeat(64),
    sourceIp: '127.0.0.1',
    receivedAt: 1_700_000_000_000,
    traceId: '12345678-1234-1234-1234-123456789012',
  });
}

const context = { accountId: '123456789012', callExternal: () => Promise.reject(new Error('no external functions')) };

/** Rule SQL in one process: parsing the payload, evaluating, and writing the result as JSON; beside JSON alone. */
export const sql: Figure = {
  name: 'sql',
  title: 'SQL of rules: payload in, selected JSON out, one core',
  async measure() {
    const rows: Row[] = [];
    for (const [name, text] of Object.entries(STATEMENTS)) {
      const statement = compileStatement(text);
      rows.push(
        measured(name, () => {
          const outcome = statement.evaluate(message(), context);
          if (outcome instanceof Promise) throw new Error(`${name} calls external functions`);
          if (outcome.kind === 'failed') throw new Error(`${name} fails: ${outcome.message}`);
          return outcome.kind === 'selected' ? outcome.payload.text.length : 0;
        }),
      );
    }
    rows.push(
      measured(
        'peer: JSON.parse and JSON.stringify of the payload, no SQL',
        () => JSON.stringify(JSON.parse(payload.toString())).length,
      ),
    );
    return rows;
  },
};

function measured(what: string, once: () => number): Row {
  let bytes = 0;
  for (let round = 0; round < ROUNDS / 10; round += 1) bytes += once();
  const startedAt = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) bytes += once();
  const seconds = (performance.now() - startedAt) / 1000;
  // The result has to be used, or the compiler may leave the work out.
  if (Number.isNaN(bytes)) throw new Error('no bytes');
  return { what, value: ROUNDS / seconds, unit: 'evaluations/s' };
}
