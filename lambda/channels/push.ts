import { createHash } from 'node:crypto';
import type { PushChannel, TokenRow } from '@thingstead/contracts/notifications';
import type { Accepted, Endpoints, Ports } from './ports.ts';

/** Another request registers the same telephone at this moment; the app may try again. */
export class PhoneContendedError extends Error {
  override readonly name = 'PhoneContendedError';
}

/**
 * The flow that AWS documents: create where there is none, look at what is there, renew where it has another token or the
 * platform has disabled it. https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html#mobile-platform-endpoint-pseudo-code
 */
export async function registerPhone(
  applicationArn: string,
  token: string,
  knownArn: string | undefined,
  endpoints: Endpoints,
): Promise<Accepted> {
  const known = knownArn === undefined ? undefined : await endpoints.attributes(knownArn);
  let arn = knownArn;
  let attributes = known;
  if (arn === undefined || !attributes) {
    const created = await endpoints.create(applicationArn, token);
    if (!created.ok) return created;
    arn = created.arn;
    attributes = await endpoints.attributes(arn);
  }
  if (attributes?.token === token && attributes.enabled) return { ok: true, arn };
  return endpoints.renew(arn, token);
}

/** What finds the owner of a token. */
export function hashOfToken({ platform, token }: Pick<PushChannel, 'platform' | 'token'>): string {
  return createHash('sha256').update(`${platform} ${token}`).digest('hex');
}

/**
 * A telephone that was handed on must not show what its last owner watches: whoever had this token loses the channel first.
 * Safe to repeat. @throws PhoneContendedError
 */
export async function takePhone(owner: TokenRow, { platform, token }: PushChannel, ports: Ports): Promise<void> {
  const hash = hashOfToken({ platform, token });
  const { records, topics, endpoints } = ports;
  const before = await records.tokenOwner(hash);
  if (before?.person === owner.person && before.channelId === owner.channelId) return;
  if (before) {
    const row = await records.channel(before.person, before.channelId);
    // Its device may have another token by now.
    if (row?.channel.type === 'push' && row.channel.token === token) {
      await topics.unsubscribe(row.subscriptionArn);
      if (row.endpointArn !== undefined) await endpoints.delete(row.endpointArn);
      await records.deleteChannel(before.person, before.channelId);
    }
  }
  if (!(await records.takeToken(hash, owner, before))) throw new PhoneContendedError('registered twice at once');
}
