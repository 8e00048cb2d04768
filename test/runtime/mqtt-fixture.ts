/** The broker on a real port with real certificates, around a directory and an authorizer that the test decides. */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls, TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { Iam } from '../../local/src/iam/iam.ts';
import { Kernel } from '../../local/src/kernel/kernel.ts';
import { type Broker, createBroker } from '../../local/src/services/iot/broker/index.ts';
import { createDataPlane, type DataPlane } from '../../local/src/services/iot/data/index.ts';
import { createMessageBus } from '../../local/src/services/iot/message-bus.ts';
import { createShadows } from '../../local/src/services/iot/shadow/index.ts';
import type {
  Certificate,
  CertificateDirectory,
  ConnectedThing,
  IdentifyResult,
  IotAccessRequest,
  IotAuthorizer,
  IotMessage,
  MessageBus,
} from '../../local/src/services/iot/types.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../support/certificates.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields?: unknown) => console.error(message, fields),
};

/** One after the other; `next` waits for what has not come yet. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting: (() => void)[] = [];
  #read = 0;

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next one that has not been read and fits; those before it are skipped. */
  async next(fits: (item: T) => boolean = () => true): Promise<T> {
    for (;;) {
      while (this.#read < this.all.length) {
        const item = this.all[this.#read++] as T;
        if (fits(item)) return item;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly packet: IPublishPacket;
}

export interface TestClient {
  readonly mqtt: MqttClient;
  readonly inbox: Inbox<Received>;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
}

class TestDirectory implements CertificateDirectory {
  readonly certificates = new Map<string, Certificate>();
  readonly refusals = new Inbox<string>();
  /** Of every connection. */
  thing: ConnectedThing | undefined;
  readonly #listeners: ((certificateId: string) => void)[] = [];

  add(device: DeviceCertificate): void {
    this.certificates.set(device.certificateId, {
      certificateId: device.certificateId,
      arn: `arn:aws:iot:us-east-1:123456789012:cert/${device.certificateId}`,
      pem: device.pem,
      caCertificateId: undefined,
      mode: 'DEFAULT',
      createdAt: 0,
      status: 'ACTIVE',
      lastModifiedAt: 0,
    });
  }

  identify(peer: { readonly der: Buffer; readonly clientId: string }): IdentifyResult {
    const result = this.verify(peer);
    if (result.kind === 'refused') this.refusals.push(peer.clientId);
    return result;
  }

  verify({ der }: { readonly der: Buffer }): IdentifyResult {
    const found = this.find(new X509Certificate(der).fingerprint256.replaceAll(':', '').toLowerCase());
    return found?.status === 'ACTIVE'
      ? { kind: 'active', certificate: found }
      : { kind: 'refused', reason: 'not active' };
  }

  find(certificateId: string): Certificate | undefined {
    return this.certificates.get(certificateId);
  }

  thingOf(): ConnectedThing | undefined {
    return this.thing;
  }

  onDeactivated(listener: (certificateId: string) => void): void {
    this.#listeners.push(listener);
  }

  deactivate(device: DeviceCertificate): void {
    const found = this.find(device.certificateId);
    if (found) found.status = 'INACTIVE';
    for (const listener of this.#listeners) listener(device.certificateId);
  }
}

type Rule = (request: IotAccessRequest) => boolean;

export class BrokerFixture {
  readonly kernel: Kernel;
  readonly bus: MessageBus;
  /** Every message that passed the bus. */
  readonly passed = new Inbox<IotMessage>();
  readonly dataPlane: DataPlane;
  /** The things that the registry knows. */
  readonly things = new Set(['thing']);
  readonly directory = new TestDirectory();
  readonly asked: IotAccessRequest[] = [];
  readonly broker: Broker;
  readonly authorizer: IotAuthorizer;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly device: DeviceCertificate;
  readonly ca: CertificateAuthority;
  /** Decides what clients may do; everything unless a test says otherwise. */
  allow: Rule = () => true;
  revision = 1;
  readonly #clients: MqttClient[] = [];

  constructor(ca: CertificateAuthority, device: DeviceCertificate, server: { key: string; cert: string }) {
    this.ca = ca;
    this.device = device;
    this.kernel = new Kernel(
      { region: 'us-east-1', accountId: '123456789012', endpoint: 'http://127.0.0.1:4566', log: SILENT },
      () => ({ authorize() {} }) as unknown as Iam,
    );
    this.tls = server;
    this.directory.add(device);
    const fixture = this;
    this.authorizer = {
      allows: (request) => {
        this.asked.push(request);
        return this.allow(request);
      },
      get revision() {
        return fixture.revision;
      },
    };
    this.bus = createMessageBus(this.kernel);
    this.bus.listen((message) => this.passed.push(message));
    this.broker = createBroker(this.kernel, {
      bus: this.bus,
      directory: this.directory,
      authorizer: this.authorizer,
      tls: server,
      port: 0,
    });
    const shadows = createShadows(this.kernel, { bus: this.bus, thingExists: (name) => this.things.has(name) });
    this.dataPlane = createDataPlane(this.kernel, {
      bus: this.bus,
      messages: this.broker.messages,
      shadows,
      authorizer: { allowsIdentity: () => true },
    });
    this.kernel.register(this.dataPlane.service);
  }

  options(clientId: string, more: IClientOptions = {}): IClientOptions {
    return {
      host: 'localhost',
      port: this.broker.port,
      protocol: 'mqtts',
      ca: this.ca.pem,
      cert: this.device.pem,
      key: this.device.keyPem,
      clientId,
      protocolVersion: 4,
      reconnectPeriod: 0,
      keepalive: 1200,
      resubscribe: false,
      ...more,
    };
  }

  /** A client that is trying to connect; `closed` resolves when it was turned away. */
  open(clientId: string, more: IClientOptions = {}): TestClient {
    const client = mqtt.connect(this.options(clientId, more));
    this.#clients.push(client);
    const inbox = new Inbox<Received>();
    client.on('message', (topic, payload, packet) => inbox.push({ topic, text: payload.toString(), packet }));
    client.on('error', () => {});
    return { mqtt: client, inbox, closed: new Promise<void>((resolve) => client.once('close', () => resolve())) };
  }

  async connect(clientId: string, more: IClientOptions = {}): Promise<TestClient> {
    const client = this.open(clientId, more);
    await Promise.race([
      new Promise<void>((resolve) => client.mqtt.once('connect', () => resolve())),
      client.closed.then(() => Promise.reject(new Error(`${clientId} was turned away`))),
    ]);
    // Small packets must not wait for each other's acknowledgement.
    if (client.mqtt.stream instanceof TLSSocket) client.mqtt.stream.setNoDelay(true);
    return client;
  }

  /** A bare TLS connection, for packets that no library sends. */
  async raw(): Promise<TLSSocket> {
    const { cert, key, ca } = this.options('raw');
    const socket = connectTls({
      port: this.broker.port,
      host: 'localhost',
      servername: 'localhost',
      ca: ca as string,
      cert: cert as string,
      key: key as string,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Waits for an event document on a topic of AWS, `$aws/events/presence/...`. */
  async event(topic: string): Promise<Record<string, unknown>> {
    const message = await this.passed.next((each) => each.topic === topic);
    return JSON.parse(message.payload.toString());
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    await this.broker.close();
    await this.kernel.close();
  }
}

/** A broker that listens, with one active device certificate. */
export async function startBroker(): Promise<BrokerFixture> {
  const ca = await createCa('Test CA');
  const fixture = new BrokerFixture(ca, await issue(ca, 'device'), await serverCertificate(ca));
  await fixture.broker.listen();
  return fixture;
}

async function serverCertificate(ca: CertificateAuthority): Promise<{ key: string; cert: string }> {
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '0142',
    subject: 'CN=localhost',
    issuer: `CN=${ca.name}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    signingAlgorithm: P256,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  };
}

/** Publishes and waits for the PUBACK. */
export function publish(client: TestClient, topic: string, text: string, more: object = {}): Promise<unknown> {
  return client.mqtt.publishAsync(topic, text, { qos: 1, ...more });
}
