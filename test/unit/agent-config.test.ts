import { parseConfig } from '../../device/src/config.ts';
import { stateDirectory } from '../../device/src/state-directory.ts';

const good = {
  thing: 'barn1',
  endpoint: { host: 'example.iot.eu-central-1.amazonaws.com' },
  certificateFile: 'device.crt',
  privateKeyFile: 'device.key',
  sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 10 }],
};

const parse = (change: object) => () => parseConfig({ ...good, ...change }, 'device.json');

describe("the agent's configuration", () => {
  it('fills in what is left out', () => {
    expect(parseConfig(good, 'device.json')).toMatchObject({
      endpoint: { port: 8883 },
      publish: { basicIngest: true, intervalSeconds: 60 },
      keepAliveSeconds: 60,
      reconnect: { baseSeconds: 1, capSeconds: 300 },
      outbox: { maxBytes: 25_165_824, maxAgeHours: 720, memory: false },
      logLevel: 'info',
      sensors: [{ source: { shape: 'walk', mean: 20 } }],
    });
  });

  it.each([
    ['at the top', { sensor: [] }, 'sensor: unknown key; did you mean "sensors"?'],
    ['in a part', { publish: { basicIngst: true } }, 'publish.basicIngst: unknown key; did you mean "basicIngest"?'],
    [
      'in a source',
      { sensors: [{ ...good.sensors[0], source: { kind: 'simulator', amplitud: 1 } }] },
      'sensors.0.source.amplitud: unknown key; did you mean "amplitude"?',
    ],
    [
      'without a near one',
      { outbox: { colour: 'red' } },
      'outbox.colour: unknown key; known are directory, maxBytes, maxAgeHours, syncSeconds, memory, maxReadings',
    ],
  ])('refuses an unknown key %s and names the nearest known one', (_where, change, message) => {
    expect(parse(change)).toThrow(message);
  });

  it.each([
    ['a thing name that AWS IoT policies could misread', { thing: 'barn/1' }, 'thing: must be 1 to 64 letters'],
    ['a keep-alive that routers drop', { keepAliveSeconds: 1200 }, 'keepAliveSeconds'],
    ['a keep-alive below the minimum of AWS IoT', { keepAliveSeconds: 10 }, 'keepAliveSeconds'],
    ['a URL in place of a host', { endpoint: { host: 'https://x.iot' } }, 'endpoint.host: must be a name alone'],
    ['a host with its port', { endpoint: { host: 'x.iot:8883' } }, 'endpoint.host: must be a name alone'],
    [
      'an address in place of a host',
      { endpoint: { host: '10.0.0.1' } },
      'endpoint.host: must be a name, not an address',
    ],
    ['a port that is none', { endpoint: { host: 'x', port: 0 } }, 'endpoint.port'],
    ['the same sensor twice', { sensors: [good.sensors[0], good.sensors[0]] }, 'sensors: "temperature" is there twice'],
    ['no private key', { privateKeyFile: undefined }, 'privateKeyFile or pkcs11: one of them is missing'],
    ['two private keys', { pkcs11: { library: '/l.so', pinFile: 'p' } }, 'privateKeyFile or pkcs11: there are both'],
    ['a token without a PIN file', { pkcs11: { library: '/l.so' } }, 'pkcs11.pinFile: '],
    [
      'a QR code without a code',
      { pairing: { url: 'https://x' } },
      'pairing.url: must hold {code}, where the code goes',
    ],
    ['a program without a name', { pairing: { show: [] } }, 'pairing.show: must hold a program'],
    ['files without a disk', { files: {}, outbox: { memory: true } }, 'files: they need a disk'],
    ['files that go in circles', { files: { incoming: '/f', outgoing: '/f' } }, 'files: incoming and outgoing are one'],
    [
      'a handler of files that is none',
      { files: { handler: {} } },
      'files.handler: must have exactly one of run, module',
    ],
    ['a missing key', { certificateFile: undefined }, 'certificateFile: '],
  ])('refuses %s', (_what, change, message) => {
    expect(parse(change)).toThrow(message);
  });

  it.each([
    ['/etc/thingstead', '/var/lib/thingstead'],
    ['/home/pi/thingstead', 'state'],
    ['/etc/thingstead/barn1', 'state'],
  ])('in %s keeps its state in %s, also for a person beside the service', (folder, state) => {
    expect(stateDirectory(folder, {})).toBe(state);
    expect(stateDirectory(folder, { STATE_DIRECTORY: '/run/one:/run/two' })).toBe('/run/one');
  });

  it('lists everything that is wrong at once', () => {
    expect(parse({ thing: '', keepAliveSeconds: 1, colour: 1 })).toThrow(
      /thing: .*\n.*keepAliveSeconds: .*\n.*colour: unknown key/,
    );
  });
});
