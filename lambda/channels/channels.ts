import { createHash } from 'node:crypto';
import {
  type Channel,
  type ChannelRow,
  type ChannelState,
  type ChannelsAnswer,
  type ChannelsError,
  MAX_CHANNELS_PER_PERSON,
  type ShownChannel,
} from '@thingstead/contracts/notifications';
import type { Ports, Protocol } from './ports.ts';
import { hashOfToken, registerPhone, takePhone } from './push.ts';

/** Adds a channel, or renews it: the same address is the same channel, a push channel the same device. */
export async function putChannel(person: string, channel: Channel, ports: Ports): Promise<ChannelsAnswer> {
  const { records, topics, applications } = ports;
  const id = channelId(channel);
  const { profile, channels } = await records.person(person);
  const known = channels.find((each) => each.id === id);
  if (!known && channels.length >= MAX_CHANNELS_PER_PERSON) {
    return refusal('too-many-channels', `there are ${channels.length}, and no more than ${MAX_CHANNELS_PER_PERSON}`);
  }
  const application = channel.type === 'push' ? applications[channel.platform] : undefined;
  if (channel.type === 'push' && application === undefined) {
    return refusal('push-not-configured', `no platform application for ${channel.platform} is configured`);
  }
  const topicArn = profile.topicArn ?? (await topics.create(person));
  if (profile.topicArn === undefined) await records.putTopic(person, topicArn);

  let endpointArn: string | undefined;
  if (channel.type === 'push' && application !== undefined) {
    await takePhone({ person, channelId: id }, channel, ports);
    const phone = await registerPhone(application, channel.token, known?.endpointArn, ports.endpoints);
    if (!phone.ok) return refusal('channel-refused', phone.reason);
    endpointArn = phone.arn;
    if (known?.endpointArn !== undefined && known.endpointArn !== endpointArn)
      await topics.unsubscribe(known.subscriptionArn);
  }
  const [protocol, endpoint] = subscriptionOf(channel, endpointArn);
  const subscribed = await topics.subscribe(topicArn, protocol, endpoint);
  if (!subscribed.ok) return refusal('channel-refused', subscribed.reason);
  const row: ChannelRow = {
    ...{ id, channel, subscriptionArn: subscribed.arn },
    ...(endpointArn !== undefined && { endpointArn }),
  };
  await records.putChannel(person, row);
  return { ok: true, channel: await show(row, await topics.subscriptions(topicArn), ports) };
}

/** Ends a channel. What SNS has not confirmed yet cannot be ended: it would be there again when the person confirms. */
export async function deleteChannel(person: string, id: string, ports: Ports): Promise<ChannelsAnswer> {
  const row = await ports.records.channel(person, id);
  if (!row) return refusal('no-such-channel', `${person} has no channel ${id}`);
  if ((await ports.topics.unsubscribe(row.subscriptionArn)) === 'pending') {
    return refusal('channel-pending', 'it is not confirmed yet; SNS forgets it after two days');
  }
  if (row.endpointArn !== undefined) await ports.endpoints.delete(row.endpointArn);
  await ports.records.deleteChannel(person, id);
  return { ok: true };
}

/** All channels of a person, with what SNS says of them now. */
export async function listChannels(person: string, ports: Ports): Promise<ChannelsAnswer> {
  const { profile, channels } = await ports.records.person(person);
  if (profile.topicArn === undefined) return { ok: true, channels: [] };
  const subscriptions = await ports.topics.subscriptions(profile.topicArn);
  return { ok: true, channels: await Promise.all(channels.map((row) => show(row, subscriptions, ports))) };
}

/** Ends all channels of a person and removes what is kept of them. Safe to repeat: the profile, which has the topic, goes last. */
export async function forgetPerson(person: string, { records, topics, endpoints }: Ports): Promise<ChannelsAnswer> {
  const { profile, channels } = await records.person(person);
  for (const { channel, endpointArn } of channels) {
    if (endpointArn !== undefined) await endpoints.delete(endpointArn);
    if (channel.type === 'push') await records.dropToken(hashOfToken(channel), person);
  }
  if (profile.topicArn !== undefined) await topics.delete(profile.topicArn);
  await records.forget(person);
  return { ok: true };
}

async function show(
  row: ChannelRow,
  subscriptions: ReadonlyMap<string, 'active' | 'pending'>,
  ports: Ports,
): Promise<ShownChannel> {
  const { id, channel, endpointArn } = row;
  const [, address] = subscriptionOf(channel, endpointArn);
  const to = channel.type === 'push' ? `${channel.platform} ${channel.device}` : address;
  let state: ChannelState = subscriptions.get(subscriptionOf(channel, endpointArn).join(' ')) ?? 'gone';
  if (endpointArn !== undefined && state === 'active') {
    const phone = await ports.endpoints.attributes(endpointArn);
    if (!phone) state = 'gone';
    else if (!phone.enabled) state = 'disabled';
  }
  return { id, type: channel.type, to, state };
}

/** Stable, and fit for an address line: it shows nothing of what the channel is. */
function channelId(channel: Channel): string {
  if (channel.type === 'push') return `push-${channel.platform}-${channel.device}`;
  const [, endpoint] = subscriptionOf(channel, undefined);
  return `${channel.type}-${createHash('sha256').update(endpoint).digest('hex').slice(0, 16)}`;
}

function subscriptionOf(channel: Channel, endpointArn: string | undefined): readonly [Protocol, string] {
  switch (channel.type) {
    case 'email':
      return ['email', channel.address];
    case 'sms':
      return ['sms', channel.number];
    case 'webhook':
      return ['https', channel.url];
    case 'push':
      return ['application', endpointArn ?? ''];
  }
}

/** An expected failure. */
export function refusal(error: ChannelsError, reason: string): ChannelsAnswer {
  return { ok: false, error, reason };
}
