/**
 * What a device costs a month by the meter of the local runtime: devices with one sensor that is read once a minute
 * send a batch through Basic Ingest, connected all the time, for a virtual day. Joining, which happens once, is not in it.
 *
 *     node bench/cost.ts [--batch 12] [--devices 10] [--hours 24] [--fleet 10,1000,100000] [--through topic] [--store archive]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { cost, MINUTES_PER_MONTH } from '../local/src/meter/prices.ts';
import type { MeterReport, ReportLine } from '../local/src/meter/report.ts';
import type { DeviceCertificate } from '../test/support/certificates.ts';
import { oneActionAssembly, platformAssembly } from './support/assembly.ts';
import { activate, createFleet } from './support/fleet.ts';
import { type BenchRuntime, startRuntime } from './support/runtime.ts';

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '12' },
    devices: { type: 'string', default: '10' },
    hours: { type: 'string', default: '24' },
    fleet: { type: 'string', default: '10,1000,100000' },
    /** `basic-ingest`, or `topic`: through the message broker. */
    through: { type: 'string', default: 'basic-ingest' },
    /** `all`, or `archive`: the rule hands on to Firehose alone, without history, stream and function. */
    store: { type: 'string', default: 'all' },
  },
});
const batch = Number(options.batch);
const fleets = options.fleet.split(',').map(Number);
const numbers = [batch, Number(options.devices), Number(options.hours), ...fleets];
// The keep-alive that a client may have at most is half an hour with its grace: it has to send before.
if (!numbers.every((each) => Number.isInteger(each) && each > 0) || batch > 25) {
  process.stderr.write('--devices, --hours and --fleet are whole numbers from 1, --batch is 1 to 25\n');
  process.exit(2);
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function dollars(value: number): string {
  return value.toFixed(value < 1 ? 6 : 2);
}

async function connect({ endpoints }: BenchRuntime, device: DeviceCertificate): Promise<MqttClient> {
  return mqtt.connectAsync({
    protocol: 'mqtts',
    host: endpoints.mqtt.host,
    port: endpoints.mqtt.port,
    ca: readFileSync(endpoints.rootCaFile),
    cert: device.pem,
    key: device.keyPem,
    clientId: device.thing,
    keepalive: 1200,
    reconnectPeriod: 0,
  });
}

async function advance({ endpoints }: BenchRuntime, seconds: number): Promise<number> {
  const response = await fetch(`${endpoints.awsEndpoint}/_local/clock`, {
    method: 'POST',
    body: JSON.stringify({ advanceSeconds: seconds }),
  });
  const { now } = (await response.json()) as { readonly now: string };
  return Date.parse(now);
}

async function readMeter({ endpoints }: BenchRuntime): Promise<MeterReport> {
  const response = await fetch(`${endpoints.awsEndpoint}/_local/meter`);
  return (await response.json()) as MeterReport;
}

/** As the agent writes a batch. */
function message(id: string, now: number): string {
  const readings = Array.from({ length: batch }, (_, age) => ({
    time: now - (batch - age) * 60_000,
    value: Number((20 + Math.sin((now / 60_000 + age) / 229) * 5).toFixed(2)),
    unit: 'Cel',
  }));
  return JSON.stringify({ id, readings });
}

const fleet = await createFleet(Number(options.devices));
const assembly = options.store === 'archive' ? oneActionAssembly('Firehose') : platformAssembly();
const runtime = await startRuntime(await assembly);
await activate(fleet, runtime);
const clients = await Promise.all(fleet.devices.map((device) => connect(runtime, device)));
const messages = Math.floor((Number(options.hours) * 60) / batch);
let now = await advance(runtime, 0);
const before = await readMeter(runtime);
let payloadBytes = 0;
// The devices are spread over the minutes, as a fleet is that was not switched on all at once.
for (let minute = 0; minute < messages * batch; minute += 1) {
  now = await advance(runtime, 60);
  const sending = clients.filter((_, at) => at % batch === minute % batch);
  await Promise.all(
    sending.map((client) => {
      const payload = message(`${'0123456789abcdef'.repeat(2)}-${minute}`, now);
      payloadBytes = payload.length;
      const topic = `device/${client.options.clientId}/sensor/temperature/v1`;
      const prefix = options.through === 'topic' ? '' : '$aws/rules/thingstead_telemetry/';
      return client.publishAsync(`${prefix}${topic}`, payload, { qos: 1 });
    }),
  );
}
await advance(runtime, 60);
const after = await readMeter(runtime);
const months = (after.deviceMonth.deviceMinutes - before.deviceMonth.deviceMinutes) / MINUTES_PER_MONTH;

interface Sum {
  readonly unit: string;
  readonly quantity: number;
  readonly usd: number;
}

/** What costs by use, by service and item, without what costs by time. */
function sums(lines: readonly ReportLine[]): Map<string, Sum> {
  const found = new Map<string, Sum>();
  for (const { service, item, unit, quantity, usd } of lines) {
    if (/-(hour|minute)$/.test(unit)) continue;
    const name = `${service}, ${item}`;
    const sum = found.get(name) ?? { unit, quantity: 0, usd: 0 };
    found.set(name, { unit, quantity: sum.quantity + quantity, usd: sum.usd + usd });
  }
  return found;
}

const devices = fleet.devices.length;
const hours = after.virtualHours - before.virtualHours;
say(
  `${devices} devices, ${messages} messages each of ${batch} readings (${payloadBytes} bytes) in ${hours.toFixed(1)} hours\n`,
);
say('| per device and month | quantity | USD |');
say('|---|---:|---:|');
const connectivity = cost('iotConnection', MINUTES_PER_MONTH);
say(`| AWS IoT Core, connectivity | ${MINUTES_PER_MONTH} connection-minutes | ${dollars(connectivity)} |`);
const earlier = sums(before.services);
let usage = connectivity;
for (const [name, { unit, quantity, usd }] of sums(after.services)) {
  const start = earlier.get(name) ?? { quantity: 0, usd: 0 };
  if (quantity === start.quantity) continue;
  usage += (usd - start.usd) / months;
  say(
    `| ${name} | ${((quantity - start.quantity) / months).toPrecision(4)} × ${unit} | ${dollars((usd - start.usd) / months)} |`,
  );
}
const { fixedUsd } = after.deviceMonth;
say(`| **by use** | | **${dollars(usage)}** |`);
say(`\nFixed, whatever is sent: ${dollars(fixedUsd)} USD a month\n`);
say('| devices | use, each | share in what is fixed | a device-month | the fleet a month |');
say('|---:|---:|---:|---:|---:|');
for (const size of fleets) {
  const each = usage + fixedUsd / size;
  const columns = [dollars(usage), dollars(fixedUsd / size), dollars(each), dollars(each * size)];
  say(`| ${size.toLocaleString('en-US')} | ${columns.join(' | ')} |`);
}
await Promise.all(clients.map((client) => client.endAsync(true)));
await runtime.stop();
process.exit(0);
