/** What the parts of the IoT service (registry, broker, shadows, rules) share. */
import type { Caller } from '../../kernel/caller.ts';

export type CertificateStatus = 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_TRANSFER' | 'PENDING_ACTIVATION';
export type CertificateMode = 'DEFAULT' | 'SNI_ONLY';

export interface Certificate {
  /** SHA-256 of the DER in lower-case hex. */
  readonly certificateId: string;
  readonly arn: string;
  readonly pem: string;
  readonly caCertificateId: string | undefined;
  readonly mode: CertificateMode;
  readonly createdAt: number;
  status: CertificateStatus;
  lastModifiedAt: number;
}

/** Who uses the data plane: a certificate over mutual TLS, or an IAM caller over SigV4. */
export type IotPrincipal =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'iam'; readonly caller: Caller };

/** One question to the authorizer of the data plane. */
export interface IotAccessRequest {
  readonly principal: IotPrincipal;
  /** `iot:Connect`, `iot:Publish`, `iot:Subscribe`, `iot:Receive`, `iot:RetainPublish`, `iot:GetThingShadow`, ... */
  readonly action: string;
  /** The last part of the ARN: `client/x`, `topic/a/b`, `topicfilter/a/+`, `thing/x`. */
  readonly resource: string;
  /** `iot:Connection.Thing.*` is resolved for MQTT only. */
  readonly protocol: 'mqtt' | 'https';
  readonly clientId: string | undefined;
  readonly sourceIp: string | undefined;
  /** Further condition keys: `iot:ConnectAttributes`, `iot:LastWillTopic`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface IotAuthorizer {
  /** Default deny; an explicit Deny wins; a statement with an unresolvable variable matches nothing. */
  allows(request: IotAccessRequest): boolean;
  /**
   * A number that grows whenever an answer about a certificate may change: policies, attachments, things. Who keeps
   * answers forgets them when it has grown. Without it nothing may be kept.
   */
  readonly revision?: number;
}

/** The thing of a connection (https://docs.aws.amazon.com/iot/latest/developerguide/exclusive-thing.html). */
export interface ConnectedThing {
  readonly name: string;
  /** True when the certificate is attached to this thing only, so that the client id need not be its name. */
  readonly isExclusive: boolean;
}

/** What the broker asks when a client certificate sends CONNECT, and the devices' HTTPS port with each request. */
export interface CertificateDirectory {
  /**
   * The certificate of a TLS peer, by its DER. Registers an unknown certificate of a registered CA as
   * PENDING_ACTIVATION and publishes the JITR event, which is repeated on every CONNECT while it stays pending.
   * `sni` is the server name the client asked for, undefined when it sent none.
   */
  identify(peer: { readonly der: Buffer; readonly sni: string | undefined; readonly clientId: string }): IdentifyResult;
  /** The same without MQTT: nothing is registered, and nothing published. */
  verify(peer: { readonly der: Buffer; readonly sni: string | undefined }): IdentifyResult;
  find(certificateId: string): Certificate | undefined;
  thingOf(certificate: Certificate, clientId: string): ConnectedThing | undefined;
  /** Called when a certificate leaves ACTIVE or is deleted: the broker ends its connections. */
  onDeactivated(listener: (certificateId: string) => void): void;
}

export type IdentifyResult =
  | { readonly kind: 'active'; readonly certificate: Certificate }
  /** `reason` is for the log only: AWS closes the connection without a word. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface MqttProperties {
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Buffer | undefined;
  readonly payloadFormatIndicator?: boolean | undefined;
  readonly messageExpiryInterval?: number | undefined;
  readonly userProperties?: readonly (readonly [key: string, value: string])[];
}

export interface IotMessage {
  /** As published; Basic Ingest messages keep their `$aws/rules/<rule>/` prefix here. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: MqttProperties;
  /** Undefined when it was not published over MQTT. */
  readonly clientId: string | undefined;
  /** What SQL's principal() gives: certificate id, or the caller's id. Undefined for the service's own messages. */
  readonly principal: string | undefined;
  readonly sourceIp: string | undefined;
  /** Epoch milliseconds, virtual time. */
  readonly receivedAt: number;
  /** What SQL's traceid() gives and the error action carries. */
  readonly traceId: string;
}

/**
 * Where every accepted message passes. `publish` does no authorization: who calls it has done that. The broker hands
 * messages to subscribers, the rules engine to rules, the shadow service answers its reserved topics; each listens.
 */
export interface MessageBus {
  publish(message: IotMessage): void;
  /** `handler` is called for each message in the order of publishing; a promise it returns counts as activity. */
  listen(handler: (message: IotMessage) => unknown): void;
  /** A message of the service itself (events, shadow answers): fills in what the service leaves out. */
  publishFromService(topic: string, payload: unknown, options?: { readonly clientId?: string | undefined }): void;
}
