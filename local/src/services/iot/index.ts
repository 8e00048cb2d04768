/** AWS IoT Core: control plane, message broker, data plane and rules, wired together. */

import { together } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { createBroker, type ServerCredentials } from './broker/index.ts';
import { keptBroker } from './broker/kept-broker.ts';
import { acceptMqtt } from './broker/web-socket.ts';
import { AmazonCa } from './certificates/amazon-ca.ts';
import { CaStore } from './certificates/ca-store.ts';
import { CertificateStore } from './certificates/certificate-store.ts';
import { RegisteredCertificates } from './certificates/registered-certificates.ts';
import { controlOperations } from './control/index.ts';
import { LoggingOptions } from './control/operations/logging-options.ts';
import { Indexing } from './control/operations/thing-connectivity.ts';
import { ResourceTags } from './control/resource-tags.ts';
import { controlProtocol } from './control/routes.ts';
import { createCredentialProvider } from './credential-provider/credential-provider.ts';
import { createDataPlane, createDeviceHttps } from './data/index.ts';
import { createMessageBus } from './message-bus.ts';
import { Authorizer } from './policies/authorizer.ts';
import { PolicyStore } from './policies/policy-store.ts';
import { EventConfigurations } from './registry/event-configurations.ts';
import { RegistryEvents } from './registry/registry-events.ts';
import { ThingRegistry } from './registry/thing-registry.ts';
import { ThingTypes } from './registry/thing-types.ts';
import { RoleAliases } from './role-aliases/role-aliases.ts';
import { createRules } from './rules/index.ts';
import { createShadows } from './shadow/index.ts';

/** What DescribeEndpoint answers: clients send no SNI for an address, so it is a name. */
const ENDPOINT = 'localhost';

export interface IotOptions {
  /** Key and certificate of both listeners. */
  readonly tls: ServerCredentials & { readonly rootCaFile: string };
  /** Loopback. */
  readonly host: string;
  readonly ports: { readonly mqtt: number; readonly deviceHttps: number };
}

/** A server beside the AWS endpoint. */
interface Listener {
  readonly port: number;
  listen(): Promise<void>;
  close(): Promise<void>;
}

export interface IotServices {
  /** `iot` and `iot-data`, for `kernel.register`. */
  readonly services: readonly Service[];
  /** MQTT over TLS, and HTTPS for devices. */
  readonly listeners: readonly Listener[];
}

/** Makes AWS IoT Core of one account. */
export function createIotServices(kernel: Kernel, { tls, host, ports }: IotOptions): IotServices {
  const revision = { value: 0 };
  const onChange = () => {
    revision.value += 1;
  };
  const bus = createMessageBus(kernel);
  const certificates = new CertificateStore(kernel, onChange);
  const cas = new CaStore(kernel);
  const policies = new PolicyStore(kernel, onChange);
  const eventConfigurations = new EventConfigurations();
  const events = new RegistryEvents(kernel, bus, eventConfigurations);
  const things = new ThingRegistry(kernel, new ThingTypes(kernel, events), onChange, events);
  const authorizer = new Authorizer(kernel, { policies, things, revision });
  const directory = new RegisteredCertificates(kernel, {
    certificates,
    cas,
    things,
    bus,
    endpoint: ENDPOINT,
  });
  const roleAliases = new RoleAliases(kernel);
  const amazonCa = new AmazonCa(() => kernel.clock.now());

  const broker = createBroker(kernel, { bus, directory, authorizer, tls, host, port: ports.mqtt });
  const shadows = createShadows(kernel, { bus, thingExists: (name) => things.find(name) !== undefined });
  const dataPlane = createDataPlane(kernel, { bus, messages: broker.messages, shadows, authorizer });
  const deviceHttps = createDeviceHttps(kernel, {
    operations: dataPlane.operations,
    directory,
    authorizer,
    credentialProvider: createCredentialProvider(kernel, { roleAliases, things, authorizer }),
    tls,
    host,
    port: ports.deviceHttps,
  });

  const rules = createRules(kernel, bus, tls.rootCaFile);
  const tags = new ResourceTags();
  const logging = new LoggingOptions();
  const indexing = new Indexing();

  const iot: Service = {
    name: 'iot',
    signingNames: ['iot'],
    protocols: [controlProtocol(rules.routes)],
    unsigned: rules.unsigned,
    operations: {
      ...controlOperations({
        kernel,
        certificates,
        cas,
        policies,
        things,
        authorizer,
        roleAliases,
        tags,
        logging,
        amazonCa,
        eventConfigurations,
        indexing,
        connections: broker.messages,
        endpoint: ENDPOINT,
      }),
      ...rules.operations,
    },
    state: together(
      ...[certificates, cas, policies, things, roleAliases, tags],
      ...[logging, indexing, eventConfigurations, rules.state],
    ),
  };
  const iotData: Service = {
    ...dataPlane.service,
    webSocket: acceptMqtt(broker.messages),
    state: together(shadows, keptBroker(broker.messages, bus)),
  };
  return { services: [iot, iotData], listeners: [broker, deviceHttps] };
}
