/** Destinations of HTTP actions: https://docs.aws.amazon.com/iot/latest/developerguide/rule-destination-http.html */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Post } from '../../../http/post.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { invalidRequest } from '../control/errors.ts';

export type DestinationStatus = 'DISABLED' | 'ENABLED' | 'ERROR' | 'IN_PROGRESS';

export interface Destination {
  readonly arn: string;
  readonly confirmationUrl: string;
  readonly createdAt: number;
  status: DestinationStatus;
  /** Why it is in error. */
  statusReason: string | undefined;
  updatedAt: number;
  /** What the endpoint has to give back. */
  token: string;
  /** When the token ends, epoch milliseconds. */
  tokenEndsAt: number;
}

/** AWS says that a confirmation times out, not when. */
const TOKEN_MS = 86_400_000;
const CONFIRMATION_TIMEOUT_MS = 3000;
const MAX_URL_LENGTH = 2000;

/** The destinations of the account. */
export class Destinations {
  readonly #kernel: Kernel;
  readonly #post: Post;
  readonly #destinations = new Map<string, Destination>();

  constructor(kernel: Kernel, post: Post) {
    this.#kernel = kernel;
    this.#post = post;
  }

  get all(): readonly Destination[] {
    return [...this.#destinations.values()].map((each) => this.#current(each));
  }

  /** Creates a destination and asks its endpoint for confirmation. Throws InvalidRequestException. */
  create(given: string | undefined): Destination {
    const confirmationUrl = checkUrl(given);
    const now = this.#kernel.clock.now();
    const destination: Destination = {
      arn: this.#kernel.arn('iot', `ruledestination/http/${randomUUID()}`),
      confirmationUrl,
      createdAt: now,
      status: 'IN_PROGRESS',
      statusReason: undefined,
      updatedAt: now,
      token: '',
      tokenEndsAt: 0,
    };
    this.#destinations.set(destination.arn, destination);
    this.#challenge(destination);
    return destination;
  }

  *save(): Generator<KeptRecord> {
    for (const each of this.#destinations.values()) yield [`destination/${each.arn}`, each];
  }

  restore(records: KeptRecords): void {
    for (const each of records.all<Destination>('destination/')) this.#destinations.set(each.arn, each);
  }

  /** A rule needs a destination for its confirmation URL: one is made when there is none. */
  ensure(confirmationUrl: string): void {
    if (!this.all.some((each) => each.confirmationUrl === confirmationUrl)) this.create(confirmationUrl);
  }

  /** Throws UnauthorizedException for a destination that does not exist: the operations have no other error for it. */
  get(arn: string | undefined): Destination {
    const found = this.#destinations.get(arn ?? '');
    if (!found)
      throw new AwsError('UnauthorizedException', `Access to topic rule destination '${arn}' was denied`, 401);
    return this.#current(found);
  }

  delete(arn: string | undefined): void {
    this.#destinations.delete(this.get(arn).arn);
  }

  /** Switches a confirmed destination on or off, or asks for confirmation again. Throws InvalidRequestException. */
  setStatus(arn: string | undefined, status: string | undefined): void {
    const destination = this.get(arn);
    if (status === 'IN_PROGRESS') {
      this.#change(destination, status);
      this.#challenge(destination);
      return;
    }
    if (status !== 'ENABLED' && status !== 'DISABLED') {
      throw invalidRequest(`status is ${status}; it can be set to ENABLED, DISABLED or IN_PROGRESS`);
    }
    if (destination.status !== 'ENABLED' && destination.status !== 'DISABLED') {
      throw invalidRequest(`A destination that is ${destination.status} cannot be set to ${status}: confirm it first`);
    }
    this.#change(destination, status);
  }

  /** @throws AwsError InvalidRequestException for a token that is wrong or has ended */
  confirm(token: string | undefined): void {
    const destination = this.all.find((each) => each.status === 'IN_PROGRESS' && each.token === token);
    if (!destination) throw invalidRequest('The confirmation token is invalid or has expired');
    this.#change(destination, 'ENABLED');
  }

  isEnabled(confirmationUrl: string): boolean {
    return this.all.some((each) => each.status === 'ENABLED' && each.confirmationUrl === confirmationUrl);
  }

  /** As it is now: a confirmation may have timed out. */
  #current(destination: Destination): Destination {
    if (destination.status === 'IN_PROGRESS' && this.#kernel.clock.now() >= destination.tokenEndsAt) {
      this.#change(destination, 'ERROR', 'The confirmation timed out');
    }
    return destination;
  }

  #change(destination: Destination, status: DestinationStatus, reason?: string): void {
    destination.status = status;
    destination.statusReason = reason;
    destination.updatedAt = this.#kernel.clock.now();
  }

  #challenge(destination: Destination): void {
    destination.token = randomBytes(64).toString('base64url');
    destination.tokenEndsAt = this.#kernel.clock.now() + TOKEN_MS;
    const { arn, confirmationUrl, token } = destination;
    const body = JSON.stringify({
      arn,
      confirmationToken: token,
      enableUrl: `${this.#kernel.endpoint}/confirmdestination/${token}`,
      messageType: 'DestinationConfirmation',
    });
    const headers = {
      'content-type': 'application/json',
      'x-amz-rules-engine-message-type': 'DestinationConfirmation',
      'x-amz-rules-engine-destination-arn': arn,
    };
    this.#kernel.activity.track(async () => {
      const url = `${confirmationUrl.replace(/\/$/, '')}/?confirmationToken=${token}`;
      try {
        const status = await this.#post(url, { headers, body, timeoutMs: CONFIRMATION_TIMEOUT_MS });
        if (status > 299) this.#kernel.log.warn('a destination did not take its confirmation', { arn, status });
      } catch (error) {
        this.#kernel.log.warn('a destination could not be asked for confirmation', { arn, confirmationUrl, error });
      }
    });
  }
}

function checkUrl(url: string | undefined): string {
  if (typeof url === 'string' && url.length <= MAX_URL_LENGTH && URL.canParse(url) && url.startsWith('https://')) {
    return url;
  }
  throw invalidRequest(`confirmationUrl is ${JSON.stringify(url)}; it has to be an https:// address`);
}
