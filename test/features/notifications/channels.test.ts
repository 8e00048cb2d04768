/** A person's channels: from the request to what arrives, over the topic that is the person's own. */
import { createVerify, X509Certificate } from 'node:crypto';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  ListEndpointsByPlatformApplicationCommand,
  ListTopicsCommand,
  SetEndpointAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { CONTEXT, FCM_ARN, notice, People } from './people.ts';

let platform: Platform;
let people: People;
let sns: SNSClient;
const thing = unique('macdonald-barn1');
let notices = 0;

/** One more notice about the thing. */
const tell = (): Promise<void> => people.notify(notice(unique(`channels-${notices++}`), [thing]));

describeLocally('a look at what would go to people', 'a channel', () => {
  beforeAll(async () => {
    platform = await startPlatform(CONTEXT);
    people = new People(platform);
    sns = new SNSClient(platform.config);
    const application = { Name: 'farm', Platform: 'GCM', Attributes: { PlatformCredential: 'key' } };
    const made = await sns.send(new CreatePlatformApplicationCommand(application));
    expect(made.PlatformApplicationArn).toBe(FCM_ARN);
  });
  afterAll(() => platform.stop());

  it('that is a webhook gets JSON that is signed, once it has confirmed', async () => {
    await people.watch('webb', 'thing', thing);
    const webhook = await people.webhook('webb');
    try {
      await tell();

      const [request, ...more] = webhook.received;
      expect(more).toEqual([]);
      const document = JSON.parse(request?.body ?? '{}');
      expect(document).toMatchObject({ Type: 'Notification', SignatureVersion: '2', Subject: `${thing} is offline` });
      expect(JSON.parse(document.Message)).toMatchObject({ kind: 'offline', things: [{ thing }], count: 1 });
      const names = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
      const signed = names.map((name) => `${name}\n${document[name]}\n`).join('');
      const { publicKey } = new X509Certificate(await (await fetch(document.SigningCertURL)).text());
      expect(createVerify('RSA-SHA256').update(signed).verify(publicKey, document.Signature, 'base64')).toBe(true);
    } finally {
      await webhook.close();
    }
  });

  it('that is a mail address gets nothing before it has confirmed, and then a list', async () => {
    const channel = { type: 'email', address: 'mary@farm.example' };
    await people.watch('mary', 'thing', thing);
    expect(await people.ask({ action: 'put-channel', person: 'mary', channel })).toMatchObject({
      channel: { to: 'mary@farm.example', state: 'pending' },
    });
    await tell();
    const [confirmation, ...early] = await people.outbox('mary@farm.example');
    expect(early).toEqual([]);
    const listed = await people.ask({ action: 'list-channels', person: 'mary' });
    const id = 'channels' in listed ? listed.channels[0]?.id : undefined;
    // Without its row it would be a channel that nobody can end, once the mail is answered.
    expect(await people.ask({ action: 'delete-channel', person: 'mary', id })).toMatchObject({
      error: 'channel-pending',
    });

    expect((await fetch(confirmation?.details.subscribeUrl ?? '')).status).toBe(200);
    await tell();

    const [, mail, ...more] = await people.outbox('mary@farm.example');
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ subject: `${thing} is offline` });
    expect(mail?.message).toContain(`${thing}, since 2026-11-21 12:00 UTC`);
    const { channels } = (await people.ask({ action: 'list-channels', person: 'mary' })) as { channels: unknown };
    expect(channels).toMatchObject([{ type: 'email', state: 'active' }]);
  });

  it('that is ended gets nothing more', async () => {
    await people.watch('sam', 'thing', thing);
    await people.sms('sam', '+491700000001');
    await tell();
    const listed = await people.ask({ action: 'list-channels', person: 'sam' });
    const id = 'channels' in listed ? listed.channels[0]?.id : undefined;

    expect(await people.ask({ action: 'delete-channel', person: 'sam', id })).toEqual({ ok: true });
    await tell();

    expect(await people.outbox('+491700000001')).toMatchObject([
      { channel: 'sms', message: `${thing} is offline since 2026-11-21 12:00 UTC` },
    ]);
    expect(await people.ask({ action: 'list-channels', person: 'sam' })).toEqual({ ok: true, channels: [] });
    expect(await people.ask({ action: 'delete-channel', person: 'sam', id })).toMatchObject({
      error: 'no-such-channel',
    });
  });

  describe('of mobile push', () => {
    const phone = (token: string, device = 'phone-1') => ({ type: 'push', platform: 'fcm', device, token });
    const put = (person: string, channel: object) => people.ask({ action: 'put-channel', person, channel });

    async function endpoints(): Promise<readonly { readonly arn: string; readonly token: string | undefined }[]> {
      const listed = await sns.send(new ListEndpointsByPlatformApplicationCommand({ PlatformApplicationArn: FCM_ARN }));
      return (listed.Endpoints ?? []).map(({ EndpointArn = '', Attributes }) => ({
        arn: EndpointArn,
        token: Attributes?.Token,
      }));
    }

    it('works again after its platform has disabled it, and with a new token', async () => {
      await people.watch('paul', 'thing', thing);
      expect(await put('paul', phone('token-of-paul-1'))).toMatchObject({
        channel: { id: 'push-fcm-phone-1', to: 'fcm phone-1', state: 'active' },
      });
      const [{ arn } = { arn: '' }, ...others] = await endpoints();
      expect(others).toEqual([]);
      await sns.send(new SetEndpointAttributesCommand({ EndpointArn: arn, Attributes: { Enabled: 'false' } }));
      expect(await people.ask({ action: 'list-channels', person: 'paul' })).toMatchObject({
        channels: [{ state: 'disabled' }],
      });
      await tell();
      expect(await people.outbox(arn)).toEqual([]);

      expect(await put('paul', phone('token-of-paul-1'))).toMatchObject({ channel: { state: 'active' } });
      await tell();
      expect(await put('paul', phone('token-of-paul-2'))).toMatchObject({ channel: { state: 'active' } });
      await tell();

      expect(await endpoints()).toEqual([{ arn, token: 'token-of-paul-2' }]);
      const pushes = await people.outbox(arn);
      expect(pushes.map(({ details }) => details.token)).toEqual(['token-of-paul-1', 'token-of-paul-2']);
      expect(JSON.parse(pushes[0]?.message ?? '{}')).toMatchObject({
        fcmV1Message: { message: { notification: { title: `${thing} is offline` } } },
      });
    });

    it('takes an endpoint that SNS has already, and that is disabled', async () => {
      const endpoint = {
        PlatformApplicationArn: FCM_ARN,
        Token: 'token-known-to-sns',
        Attributes: { Enabled: 'false' },
      };
      const { EndpointArn } = await sns.send(new CreatePlatformEndpointCommand(endpoint));

      expect(await put('pia', phone('token-known-to-sns', 'phone-3'))).toMatchObject({ channel: { state: 'active' } });

      expect((await endpoints()).filter(({ token }) => token === 'token-known-to-sns')).toMatchObject([
        { arn: EndpointArn },
      ]);
    });

    it('shows nothing of its last owner after it was handed on', async () => {
      await people.watch('petra', 'thing', thing);
      await put('petra', phone('token-handed-on', 'phone-2'));
      expect(await put('peter', phone('token-handed-on', 'phone-2'))).toMatchObject({ channel: { state: 'active' } });

      await tell();

      const handedOn = (await endpoints()).find(({ token }) => token === 'token-handed-on');
      expect(handedOn).toBeDefined();
      expect(await people.outbox(handedOn?.arn ?? '')).toEqual([]);
      expect(await people.ask({ action: 'list-channels', person: 'petra' })).toEqual({ ok: true, channels: [] });
    });

    it('is gone with everything else of a person who is forgotten, confirmed or not', async () => {
      await people.watch('gone', 'thing', thing);
      await people.sms('gone', '+491700000099');
      await put('gone', { type: 'email', address: 'gone@farm.example' });
      await put('gone', phone('token-of-gone', 'phone-9'));
      const preferences = { kinds: ['offline'] };
      await people.ask({ action: 'put-preferences', person: 'gone', preferences });

      expect(await people.ask({ action: 'forget-person', person: 'gone' })).toEqual({ ok: true });
      // Whoever has not got the answer asks again.
      expect(await people.ask({ action: 'forget-person', person: 'gone' })).toEqual({ ok: true });
      await tell();

      expect(await people.outbox('+491700000099')).toEqual([]);
      expect((await endpoints()).filter(({ token }) => token === 'token-of-gone')).toEqual([]);
      expect(await people.ask({ action: 'list-channels', person: 'gone' })).toEqual({ ok: true, channels: [] });
      const told = await people.ask({ action: 'get-preferences', person: 'gone' });
      expect(told).toEqual({ ok: true, preferences: {}, things: {} });
      const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
      expect(Topics.filter(({ TopicArn }) => TopicArn?.endsWith('person-gone'))).toEqual([]);
    });

    it('is refused for a platform that is not configured', async () => {
      const channel = { ...phone('token-of-an-apple'), platform: 'apns' };
      expect(await put('paul', channel)).toMatchObject({ ok: false, error: 'push-not-configured' });
    });
  });

  it.each([
    [{ action: 'put-channel', person: 'x', channel: { type: 'webhook', url: 'http://a.example' } }, /https:/],
    [{ action: 'put-channel', person: 'x', channel: { type: 'sms', number: '0170 1' } }, /channel.number/],
    [{ action: 'put-channel', person: '../x', channel: { type: 'email', address: 'a@b.example' } }, /person/],
    [{ action: 'send-money', person: 'x' }, /action/],
  ])('is not had by %j', async (request, reason) => {
    expect(await people.ask(request)).toMatchObject({
      ok: false,
      error: 'invalid-request',
      reason: expect.stringMatching(reason),
    });
  });
});
