/**
 * How many messages a second the SQL of rules takes: parsing the JSON payload, evaluating, and writing the result as
 * JSON, one statement after the other in one process. Run with `node bench/sql.ts`.
 */
import { compileStatement } from '../local/src/services/iot/rules/sql/compile-statement.ts';
import { RuleMessage } from '../local/src/services/iot/rules/sql/rule-message.ts';

const ROUNDS = 200_000;

const STATEMENTS: Readonly<Record<string, string>> = {
  everything: "SELECT * FROM 'device/+/sensor/+/v1'",
  telemetry: `SELECT *, concat(topic(2), '#', topic(4)) AS pk,
                concat(parse_time("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", get_or_default(time, timestamp())), '#',
                       get_or_default(id, newuuid())) AS sk,
                timestamp() AS receivedAt, timestamp() / 1000 + 7776000 AS expiresAt
              FROM 'device/+/sensor/+/v1'`,
  skipped: "SELECT * FROM 'device/+/sensor/+/v1' WHERE value > 100 AND unit = 'Cel'",
  nested: "SELECT (SELECT VALUE v FROM readings WHERE v > 2) AS high FROM 'device/+/sensor/+/v1'",
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

for (const [name, sql] of Object.entries(STATEMENTS)) {
  const statement = compileStatement(sql);
  const run = (rounds: number): number => {
    let bytes = 0;
    for (let round = 0; round < rounds; round += 1) {
      const outcome = statement.evaluate(message(), context);
      if (outcome instanceof Promise) throw new Error(`${name} calls external functions`);
      if (outcome.kind === 'selected') bytes += outcome.payload.text.length;
    }
    return bytes;
  };
  run(ROUNDS / 10);
  const startedAt = performance.now();
  run(ROUNDS);
  const seconds = (performance.now() - startedAt) / 1000;
  const rate = Math.round(ROUNDS / seconds).toLocaleString('en-US');
  console.log(`${name.padEnd(12)} ${rate.padStart(10)} messages/s  ${((seconds / ROUNDS) * 1e6).toFixed(1)} µs each`);
}
