/** A device as features see it: an MQTT client, or an HTTPS request, with the certificate of the device. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { DeviceCertificate } from './certificates.ts';
import type { Target } from './target.ts';

/** How long a client waits for an answer before the test fails. */
const ANSWER_TIMEOUT_MS = 10_000;

type Answer = 'accepted' | 'not-authorized' | 'closed';

/** An MQTT client of a device, with the broker's reactions as values. */
export interface DeviceClient extends MqttClient {
  tryPublish(topic: string, payload: string): Promise<Answer>;
  trySubscribe(filter: string): Promise<Answer>;
}

/**
 * The broker was reached and did not let the device in: it ended the connection, or it said so in CONNACK. A host that is
 * not there or not trusted is no refusal.
 */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';
}

/** @throws ConnectionRefused when the broker does not let the device in. */
export async function connectDevice(
  { mqtt: { host, port }, rootCaFile, mayConnect }: Target,
  device: DeviceCertificate,
  options: IClientOptions = {},
): Promise<DeviceClient> {
  const clientId = options.clientId ?? device.thing;
  await mayConnect(clientId);
  const client = mqtt.connect({
    protocol: 'mqtts',
    host,
    port,
    ca: readFileSync(rootCaFile),
    cert: device.pem,
    key: device.keyPem,
    clientId,
    reconnectPeriod: 0,
    connectTimeout: ANSWER_TIMEOUT_MS,
    ...options,
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.on('error', (error) => reject(asRefusal(error)));
    client.once('close', () => reject(new ConnectionRefused('closed before CONNACK')));
  });
  return Object.assign(client, {
    tryPublish: (topic: string, payload: string) =>
      attempt(client, (done) => client.publish(topic, payload, { qos: 1 }, (error) => done(error))),
    trySubscribe: (filter: string) =>
      attempt(client, (done) =>
        client.subscribe(filter, { qos: 1 }, (error, granted) => {
          const refused = granted?.some((each) => each.qos >= 128);
          done(refused ? new Error('Not authorized') : error);
        }),
      ),
  });
}

/** What a refusal looks like from here: a code of CONNACK, a reset, or an alert of TLS about the device's certificate. */
function asRefusal(error: Error & { readonly code?: unknown }): Error {
  const { code, message } = error;
  if (typeof code === 'number') return new ConnectionRefused(message, { cause: error });
  const ended = code === 'ECONNRESET' || code === 'EPIPE' || String(code).startsWith('ERR_SSL_');
  return ended ? new ConnectionRefused(`closed before CONNACK (${message})`, { cause: error }) : error;
}

/** The reaction to one packet: acknowledged, refused with a reason code, or the connection closed. */
function attempt(client: MqttClient, send: (done: (error?: Error | null) => void) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), ANSWER_TIMEOUT_MS);
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      client.off('close', closed);
      resolve(answer);
    };
    const closed = (): void => settle('closed');
    client.once('close', closed);
    send((error) => {
      if (!error) settle('accepted');
      else if (/not authorized/i.test(error.message)) settle('not-authorized');
      // Anything else is the closing of the connection, which 'close' reports.
    });
  });
}

/** Publishes as a device without MQTT; gives the HTTP status. */
export function publishOverHttps(
  { deviceHttps: { host, port }, rootCaFile }: Target,
  device: DeviceCertificate,
  topic: string,
  payload: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        method: 'POST',
        host,
        port,
        path: `/topics/${topic.split('/').map(encodeURIComponent).join('/')}?qos=1`,
        ca: readFileSync(rootCaFile),
        cert: device.pem,
        key: device.keyPem,
        agent: false,
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}
