/**
 * The smallest app of a person: signs in, lists things, and follows the state of one of them over MQTT. Everything it imports runs in
 * a page as well; only the questions to the environment and the printing would be a page's own.
 */
import { readFileSync } from 'node:fs';
import { createClient, pages } from '@thingstead/client';
import { createSession, credentialsFor, signedMqttUrl, userPool } from '@thingstead/client/people';
import mqtt from 'mqtt';

const { THINGSTEAD_EMAIL: email, THINGSTEAD_PASSWORD: password } = process.env;
const [endpointsFile = '.thingstead/endpoints.json', chosen] = process.argv.slice(2);
if (!email || !password) {
  process.stderr.write('who are you? THINGSTEAD_EMAIL and THINGSTEAD_PASSWORD say so\n');
  process.exit(2);
}

/** Of the local runtime. A page of yours has the outputs of your stacks, and no `endpoint` for the pools. */
const { region, awsEndpoint: endpoint, outputs } = JSON.parse(readFileSync(endpointsFile, 'utf8'));
const {
  UserPoolId: userPoolId,
  AppClientId: appClientId,
  IdentityPoolId: identityPoolId,
  ApiUrl: baseUrl,
} = Object.assign({}, ...Object.values(outputs));

const pool = userPool({ userPoolId, appClientId, endpoint });
const session = createSession({ pool, tokens: await pool.signIn({ email, password }) });
const api = createClient({ baseUrl, token: session.accessToken });

const names: string[] = [];
for await (const { things } of pages(api.listThings, {})) {
  for (const { thing, label, role, connected } of things) {
    names.push(thing);
    print('thing', { thing, label, role, connected });
  }
}
const thing = chosen ?? names[0];
if (thing === undefined) {
  print('nothing', { next: 'pair a thing: the README of this example says how' });
  process.exit(0);
}

// Once for each person: the platform gives their identity a policy for what is theirs.
const { clientIdPrefix } = await api.putIdentity({ body: { idToken: await session.idToken() } });

const shadow = `$aws/things/${thing}/shadow`;

/** One connection, from its signature to its end: credentials live for an hour, a signed address for minutes. */
async function follow(): Promise<void> {
  const pools = { identityPoolId, userPoolId, endpoint };
  const { credentials } = await credentialsFor(pools, await session.idToken());
  const url = await signedMqttUrl({ endpoint, region, credentials });
  const client = mqtt.connect(url, {
    // What follows the prefix is the app's choice: one for each page that is open.
    clientId: `${clientIdPrefix}${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`,
    transformWsUrl: () => url,
    reconnectPeriod: 0,
  });
  const refused = ({ message }: Error): void => print('refused', { thing, reason: message });
  const listen = async (): Promise<void> => {
    await client.subscribeAsync([`${shadow}/get/accepted`, `${shadow}/update/accepted`], { qos: 1 });
    print('connected', { thing });
    await client.publishAsync(`${shadow}/get`, '', { qos: 1 });
  };
  // What is not allowed, AWS IoT answers by closing the connection: the promises of it reject.
  client.on('connect', () => void listen().catch(refused));
  client.on('message', (topic, payload) => {
    const { state, version } = JSON.parse(payload.toString());
    print(topic.endsWith('/get/accepted') ? 'state' : 'change', { version, ...state });
  });
  const stop = (): void => void client.end();
  stopping.addEventListener('abort', stop, { once: true });
  await new Promise<void>((resolve) => {
    client.once('close', resolve);
    client.on('error', refused);
  });
  stopping.removeEventListener('abort', stop);
}

const ending = new AbortController();
const { signal: stopping } = ending;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
while (!stopping.aborted) {
  await follow();
  if (stopping.aborted) break;
  print('disconnected', { thing });
  // The policy of a new identity is there after a moment, and a network comes back: not all at once.
  await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2500));
}

/** One line of JSON for each thing that happens. */
function print(event: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}
