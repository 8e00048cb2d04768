import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { sensorBasicIngestTopic, sensorTopic } from '@thingstead/contracts/topics';
import mqtt from 'mqtt';
import type { DeviceCertificate } from '../../test/support/certificates.ts';
import { agentConfig } from '../support/agent-config.ts';
import { platformAssembly, temporaryPath } from '../support/assembly.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet } from '../support/fleet.ts';
import { startNode, stop } from '../support/process.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';

/** One reading as JSON, in every way of sending it. */
const PAYLOAD_BYTES = 200;
const SENSOR = 'text';
const MESSAGES = 50;
const CONNECTIONS = 20;
/** What the agent says of itself after it has connected is over by then. */
const FIRST_BATCHES = 3;
const BATCHES = 10;
const SAMPLE_SECONDS = 0.1;

/** Everything one way of sending needs. */
interface Line {
  readonly device: DeviceCertificate;
  readonly runtime: BenchRuntime;
  readonly trust: string;
}

/** Bytes on the wire for one reading, beside HTTPS. */
export const wire: Figure = {
  name: 'wire',
  title: `Bytes on the wire per reading of ${PAYLOAD_BYTES} bytes: payload of TCP, both directions, with TLS`,
  async measure() {
    const fleet = await createFleet(1);
    const [device] = fleet.devices;
    if (!device) throw new Error('no device');
    const runtime = await startRuntime(await platformAssembly());
    try {
      await activate(fleet, runtime);
      const line = { device, runtime, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
      const rows: Row[] = [];
      for (const readings of [20, 6]) rows.push(...(await batched(line, readings)));
      const what = (text: string, value: number): Row => ({ what: text, value, unit: 'bytes' });
      rows.push(what('MQTT 5, QoS 1, Basic Ingest, one by one on an open connection', await oneByOne(line)));
      rows.push(what('peer: HTTPS POST on a kept-alive connection', await post(line, true)));
      rows.push(what('peer: HTTPS POST on a new connection each', await post(line, false)));
      return rows;
    } finally {
      await runtime.stop();
    }
  },
};

/** A text value with which the agent's reading is as long as the others'. */
function textOf(length: number): string {
  const empty = JSON.stringify({ value: '', time: Date.now() });
  return 'x'.repeat(length - empty.length);
}

/** Sampled so often that about so many readings go into a message. */
async function batched({ device, runtime }: Line, readings: number): Promise<Row[]> {
  say(`wire: the agent, ${readings} readings in a message`);
  const proxy = await startCountingProxy(runtime.endpoints.mqtt.port);
  const folder = temporaryPath('sensor');
  mkdirSync(folder);
  const file = path.join(folder, 'value');
  writeFileSync(file, textOf(PAYLOAD_BYTES));
  const source = { kind: 'file', path: file, value: 'text' };
  const config = agentConfig(device, runtime, {
    endpoint: { host: 'localhost', port: proxy.port },
    sensors: [{ name: SENSOR, source, intervalSeconds: SAMPLE_SECONDS }],
    publish: { intervalSeconds: SAMPLE_SECONDS * readings },
  });
  const agent = startNode(['device/bin/thingstead-agent.mjs', '--config', config, 'run']);
  const seen = await countBatches(agent.stdout, proxy);
  await stop(agent);
  proxy.stop();
  const perReading = seen.bytes / seen.readings;
  const average = Math.round(seen.readings / BATCHES);
  return [
    { what: `the agent, ${average} readings in a message`, value: perReading, unit: 'bytes' },
    {
      what: `the agent, ${average} readings in a message, above the ${PAYLOAD_BYTES} bytes of a reading`,
      value: perReading - PAYLOAD_BYTES,
      unit: 'bytes',
      aim: '< 30',
    },
  ];
}

/** From one acknowledged message to another: whatever passes in between counts. */
async function countBatches(
  log: NodeJS.ReadableStream | null,
  proxy: CountingProxy,
): Promise<{ readonly bytes: number; readonly readings: number }> {
  if (!log) throw new Error('the agent has no standard output');
  let batches = 0;
  let readings = 0;
  let before = 0;
  for await (const text of createInterface({ input: log })) {
    const event: { readonly event?: string; readonly readings?: number } = JSON.parse(text);
    if (event.event !== 'telemetry.published') continue;
    batches += 1;
    if (batches === FIRST_BATCHES) before = proxy.bytes();
    else if (batches > FIRST_BATCHES) readings += event.readings ?? 0;
    if (batches === FIRST_BATCHES + BATCHES) return { bytes: proxy.bytes() - before, readings };
  }
  throw new Error('the agent has ended');
}

function reading(): string {
  const time = Date.now();
  return JSON.stringify({ value: textOf(PAYLOAD_BYTES), time });
}

/** A client that sends every reading as a message of its own and waits for its PUBACK. */
async function oneByOne({ device, runtime, trust }: Line): Promise<number> {
  say('wire: one by one');
  const proxy = await startCountingProxy(runtime.endpoints.mqtt.port);
  const client = await mqtt.connectAsync({
    ...{ protocol: 'mqtts', host: 'localhost', port: proxy.port, protocolVersion: 5, reconnectPeriod: 0 },
    ...{ ca: trust, cert: device.pem, key: device.keyPem, clientId: device.thing },
  });
  const topic = sensorBasicIngestTopic(device.thing, SENSOR);
  await client.publishAsync(topic, reading(), { qos: 1 });
  const before = proxy.bytes();
  for (let count = 0; count < MESSAGES; count += 1) await client.publishAsync(topic, reading(), { qos: 1 });
  const bytes = proxy.bytes() - before;
  await client.endAsync();
  proxy.stop();
  return bytes / MESSAGES;
}

/** As a device without MQTT does it: `POST /topics/<topic>?qos=1`. New connections do not resume TLS sessions. */
async function post({ device, runtime, trust }: Line, keepAlive: boolean): Promise<number> {
  say(`wire: HTTPS, ${keepAlive ? 'kept alive' : 'new connections'}`);
  const proxy = await startCountingProxy(runtime.endpoints.deviceHttps.port);
  const topic = sensorTopic(device.thing, SENSOR).split('/').map(encodeURIComponent).join('/');
  const agent = keepAlive ? new https.Agent({ keepAlive, maxSockets: 1 }) : undefined;
  const send = async (): Promise<void> => {
    const body = reading();
    const request = https.request({
      ...{ method: 'POST', host: 'localhost', port: proxy.port, path: `/topics/${topic}?qos=1`, agent: agent ?? false },
      ...{ ca: trust, cert: device.pem, key: device.keyPem, headers: { 'content-length': body.length } },
    });
    request.end(body);
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    if (response.statusCode !== 200) throw new Error(`HTTPS answered ${response.statusCode}`);
    if (!keepAlive) await proxy.quiet();
  };
  const rounds = keepAlive ? MESSAGES : CONNECTIONS;
  await send();
  const before = proxy.bytes();
  for (let count = 0; count < rounds; count += 1) await send();
  const bytes = proxy.bytes() - before;
  agent?.destroy();
  proxy.stop();
  return bytes / rounds;
}
