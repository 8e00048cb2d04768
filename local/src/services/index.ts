/** Every service of the runtime, in the order in which they are made. */
import type { LocalIam } from '../iam/local-iam.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ResourceHandler } from '../template/resource-handler.ts';
import type { Stacks } from '../template/stacks.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { createIamService } from './iam/index.ts';
import { iamResources } from './iam/resources.ts';
import { createStsService } from './sts/index.ts';

export interface ServiceOptions {
  readonly iam: LocalIam;
  readonly stacks: Stacks;
  readonly ports: Ports;
  readonly host: string;
  readonly tls: ServerCertificate;
}

export interface Ports {
  readonly aws: number;
  readonly mqtt: number;
  readonly deviceHttps: number;
}

/** A server beside the AWS endpoint: MQTT, device HTTPS. */
export interface Listener {
  /** Rejects with the system's error when the port is taken. */
  listen(): Promise<void>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Registers all services with the kernel; gives the servers that they need besides the AWS endpoint. */
export function registerServices(kernel: Kernel, { iam }: ServiceOptions): readonly Listener[] {
  kernel.register(createIamService(kernel, iam));
  kernel.register(createStsService(kernel, iam));
  return [];
}

/** What the template loader can create. */
export const resourceHandlers: readonly ResourceHandler[] = [...iamResources];
