/** Mobile push: https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-application-as-subscriber.html */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { invalidParameter, notFound } from './errors.ts';

export type Platform = 'APNS' | 'APNS_SANDBOX' | 'GCM';

export interface PlatformApplication {
  readonly name: string;
  readonly arn: string;
  readonly platform: Platform;
  /** Without the credentials, which AWS never shows. */
  readonly attributes: Map<string, string>;
  readonly endpoints: Map<string, PlatformEndpoint>;
}

export interface PlatformEndpoint {
  readonly arn: string;
  readonly platform: Platform;
  /** `Token`, `Enabled`, and `CustomUserData` where it was given. */
  readonly attributes: Map<string, string>;
}

const NOT_EMULATED = ['ADM', 'APNS_VOIP', 'APNS_VOIP_SANDBOX', 'BAIDU', 'MACOS', 'MACOS_SANDBOX', 'MPNS', 'WNS'];
const SECRET = ['PlatformCredential', 'PlatformPrincipal'];
/** Attributes of APNS that say how it is reached; nothing is sent to it here. */
const KEPT = ['ApplePlatformBundleID', 'ApplePlatformTeamID'];
const MAX_USER_DATA_BYTES = 2048;
const ENDPOINT_ATTRIBUTES = ['CustomUserData', 'Enabled', 'Token'];

/** The platform applications of the account with their endpoints. */
export class PlatformApplications {
  readonly kernel: Kernel;
  readonly #applications = new Map<string, PlatformApplication>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly PlatformApplication[] {
    return [...this.#applications.values()];
  }

  arnOf(platform: string | undefined, name: string | undefined): string {
    return this.kernel.arn('sns', `app/${platform}/${name}`);
  }

  /** Creates an application, or gives the one that exists. Throws InvalidParameter; NotEmulated names the platform. */
  create(
    platform: string | undefined,
    name: string | undefined,
    given: Readonly<Record<string, string>>,
  ): PlatformApplication {
    if (!name || !/^[\w.-]{1,256}$/.test(name)) throw invalidParameter(`Name Reason: ${name} is no application name`);
    if (platform !== undefined && NOT_EMULATED.includes(platform)) {
      throw new AwsError('NotEmulated', `The local runtime does not emulate the push platform ${platform}.`, 501);
    }
    if (platform !== 'APNS' && platform !== 'APNS_SANDBOX' && platform !== 'GCM') {
      throw invalidParameter(`Platform Reason: ${platform} is not supported`);
    }
    if (!given.PlatformCredential) {
      throw invalidParameter("Attributes Reason: Invalid attribute name: PlatformCredential can't be empty");
    }
    const arn = this.arnOf(platform, name);
    const application = this.#applications.get(arn) ?? {
      name,
      arn,
      platform,
      attributes: new Map([['Enabled', 'true']]),
      endpoints: new Map(),
    };
    this.setAttributes(application, given);
    this.#applications.set(arn, application);
    return application;
  }

  *save(): Generator<KeptRecord> {
    for (const application of this.#applications.values()) yield [`application/${application.arn}`, application];
  }

  restore(records: KeptRecords): void {
    for (const each of records.all<PlatformApplication>('application/')) this.#applications.set(each.arn, each);
  }

  delete(arn: string): void {
    this.#applications.delete(arn);
  }

  /** @throws AwsError NotFound */
  get(arn: string | undefined): PlatformApplication {
    const found = this.#applications.get(arn ?? '');
    if (!found) throw notFound('PlatformApplication');
    return found;
  }

  setAttributes({ attributes }: PlatformApplication, given: Readonly<Record<string, string>>): void {
    for (const name of Object.keys(given)) {
      if (SECRET.includes(name) || KEPT.includes(name)) continue;
      throw new AwsError(
        'NotEmulated',
        `The local runtime does not emulate the attribute ${name} of platform applications.`,
        501,
      );
    }
    for (const name of KEPT) if (given[name] !== undefined) attributes.set(name, given[name]);
  }

  /**
   * Creates an endpoint; the same token with the same attributes again gives the one that exists.
   *
   * @throws AwsError InvalidParameter when the token has an endpoint with other attributes
   */
  createEndpoint(
    application: PlatformApplication,
    given: Readonly<Record<string, string | undefined>>,
  ): PlatformEndpoint {
    const attributes = checkEndpoint({ Enabled: 'true', ...given });
    if (!attributes.get('Token')) throw invalidParameter('Token Reason: cannot be empty');
    for (const existing of application.endpoints.values()) {
      if (existing.attributes.get('Token') !== attributes.get('Token')) continue;
      if (sameAttributes(existing.attributes, attributes)) return existing;
      throw invalidParameter(
        `Token Reason: Endpoint ${existing.arn} already exists with the same Token, but different attributes.`,
      );
    }
    const { platform, name } = application;
    const arn = this.kernel.arn('sns', `endpoint/${platform}/${name}/${randomUUID()}`);
    const endpoint: PlatformEndpoint = { arn, platform, attributes };
    application.endpoints.set(arn, endpoint);
    return endpoint;
  }

  findEndpoint(arn: string | undefined): PlatformEndpoint | undefined {
    return this.#applicationOf(arn)?.endpoints.get(arn ?? '');
  }

  /** @throws AwsError NotFound */
  getEndpoint(arn: string | undefined): PlatformEndpoint {
    const found = this.findEndpoint(arn);
    if (!found) throw notFound('Endpoint');
    return found;
  }

  setEndpointAttributes(endpoint: PlatformEndpoint, given: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of checkEndpoint(given)) endpoint.attributes.set(name, value);
  }

  deleteEndpoint(arn: string): void {
    this.#applicationOf(arn)?.endpoints.delete(arn);
  }

  #applicationOf(endpointArn: string | undefined): PlatformApplication | undefined {
    const [, platform, name] = endpointArn?.split(':').at(-1)?.split('/') ?? [];
    return this.#applications.get(this.arnOf(platform, name));
  }
}

function checkEndpoint(given: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!ENDPOINT_ATTRIBUTES.includes(name)) {
      throw invalidParameter(`Attributes Reason: Invalid attribute name: ${name}`);
    }
    if (name === 'Enabled' && !/^(true|false)$/i.test(value)) {
      throw invalidParameter(`Attributes Reason: Invalid value for attribute: Enabled: must be true or false`);
    }
    if (name === 'CustomUserData' && Buffer.byteLength(value) > MAX_USER_DATA_BYTES) {
      throw invalidParameter(
        'Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes',
      );
    }
    attributes.set(name, name === 'Enabled' ? value.toLowerCase() : value);
  }
  return attributes;
}

function sameAttributes(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return ENDPOINT_ATTRIBUTES.every((name) => (one.get(name) ?? '') === (other.get(name) ?? ''));
}
