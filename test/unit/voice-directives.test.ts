/** What Alexa asks, on a clock of our own: discovery, linking, reading and changing the state of things. */
import { lamp, START, VoiceWorld } from './voice-world.ts';

let world: VoiceWorld;

beforeEach(() => {
  world = new VoiceWorld();
});
afterEach(() => expect(world.failures).toEqual([]));

const errorOf = (answer: { event: { header: { name: string }; payload: { type: string } } }) =>
  answer.event.header.name === 'ErrorResponse' ? answer.event.payload.type : answer.event.header.name;

/** `powerState` -> `ON` of an answer's context. */
function stateIn({ context }: { context: { properties: { name: string; value: unknown }[] } }) {
  return Object.fromEntries(context.properties.map(({ name, value }) => [name, value]));
}

describe('a change', () => {
  beforeEach(() => world.addLamp('lamp'));

  it('is done when the device reports it; the answer has its state, its time and the token of the question', async () => {
    world.asked = (thing, member, value) => world.report(thing, { [member]: value });

    const answer = await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(answer.event.header).toMatchObject({ name: 'Response', correlationToken: 'correlation' });
    expect(stateIn(answer)).toEqual({ powerState: 'ON', brightness: 40, connectivity: { value: 'OK' } });
    expect(answer.context.properties[0].timeOfSample).toBe(new Date(START).toISOString());
    expect(world.desired('lamp', 'power')).toBe(true);
    expect(world.now).toBe(START);
  });

  it('waits for a device that takes three seconds', async () => {
    world.asked = (thing, member, value) => world.after(3000, () => world.report(thing, { [member]: value }));

    const answer = await world.to('lamp', 'Alexa.BrightnessController.SetBrightness', { payload: { brightness: 70 } });

    expect(stateIn(answer)).toMatchObject({ brightness: 70 });
    expect(world.now).toBe(START + 3000);
  });

  it('that is not reported within six seconds is taken back, and Alexa is told', async () => {
    world.desire('lamp', 'power', false);

    const answer = await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(errorOf(answer)).toBe('ENDPOINT_UNREACHABLE');
    expect(world.now).toBe(START + 6000);
    expect(world.desired('lamp', 'power')).toBe(false);
  });

  it('that nothing was desired before leaves nothing desired', async () => {
    await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(world.shadows.get('lamp')?.desired.has('power')).toBe(false);
  });

  it('is taken back though the device reports other things all the time', async () => {
    for (const at of [500, 1500, 5900, 6000]) world.after(at, () => world.report('lamp', { rssi: -at }));

    expect(errorOf(await world.to('lamp', 'Alexa.PowerController.TurnOn'))).toBe('ENDPOINT_UNREACHABLE');
    expect(world.desired('lamp', 'power')).toBeUndefined();
  });

  it('is not taken back when somebody else has asked for something since', async () => {
    world.asked = () => world.after(2000, () => world.desire('lamp', 'brightness', 10));

    const answer = await world.to('lamp', 'Alexa.BrightnessController.SetBrightness', { payload: { brightness: 70 } });

    expect(errorOf(answer)).toBe('ENDPOINT_UNREACHABLE');
    expect(world.desired('lamp', 'brightness')).toBe(10);
  });

  it('is not taken back when somebody else has asked for the same since', async () => {
    world.asked = () => world.after(2000, () => world.desire('lamp', 'power', true));

    await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(world.desired('lamp', 'power')).toBe(true);
  });

  it('that the device does at the last moment is done', async () => {
    const { shadows } = world.ports;
    let reads = 0;
    const late = {
      ...shadows,
      // The device reports between the last look and the taking back.
      read: (thing: string) => {
        if (world.now === START + 6000 && ++reads === 2) world.report(thing, { power: true });
        return shadows.read(thing);
      },
    };
    Object.assign(world.ports, { shadows: late });

    expect(stateIn(await world.to('lamp', 'Alexa.PowerController.TurnOn'))).toMatchObject({ powerState: 'ON' });
    expect(world.desired('lamp', 'power')).toBe(true);
  });

  it('whose first answer is lost puts back what was there before it', async () => {
    world.desire('lamp', 'power', false);
    const { shadows } = world.ports;
    let calls = 0;
    const lossy: typeof shadows = {
      ...shadows,
      setDesired: async (...given) => {
        const at = await shadows.setDesired(...given);
        // The SDK has tried again, and the version was another by then.
        return ++calls === 1 ? undefined : at;
      },
    };
    Object.assign(world.ports, { shadows: lossy });

    await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(world.desired('lamp', 'power')).toBe(false);
  });

  it('of brightness by a difference stays between 0 and 100', async () => {
    world.asked = (thing, member, value) => world.report(thing, { [member]: value });
    const adjust = (brightnessDelta: number) =>
      world.to('lamp', 'Alexa.BrightnessController.AdjustBrightness', { payload: { brightnessDelta } });

    expect(stateIn(await adjust(25))).toMatchObject({ brightness: 65 });
    expect(stateIn(await adjust(100))).toMatchObject({ brightness: 100 });
    expect(stateIn(await adjust(-100))).toMatchObject({ brightness: 0 });
  });

  it.each([
    ['Alexa.BrightnessController.SetBrightness', { brightness: 101 }, 'VALUE_OUT_OF_RANGE'],
    ['Alexa.BrightnessController.SetBrightness', { brightness: 'much' }, 'INVALID_VALUE'],
    ['Alexa.BrightnessController.SetBrightness', {}, 'INVALID_VALUE'],
    ['Alexa.BrightnessController.AdjustBrightness', { brightnessDelta: -101 }, 'VALUE_OUT_OF_RANGE'],
    ['Alexa.ColorController.SetColor', {}, 'INVALID_DIRECTIVE'],
    ['toString.constructor', {}, 'INVALID_DIRECTIVE'],
  ])('%s with %j is refused: %s', async (name, payload, type) => {
    expect(errorOf(await world.to('lamp', name, { payload }))).toBe(type);
    expect(world.shadows.get('lamp')?.desired.size).toBe(0);
  });

  it('of something that the thing does not have is refused', async () => {
    world.things.set('lamp', lamp('lamp', { capabilities: ['power'] }));
    const payload = { brightness: 70 };

    expect(errorOf(await world.to('lamp', 'Alexa.BrightnessController.SetBrightness', { payload }))).toBe(
      'INVALID_DIRECTIVE',
    );
  });

  it.each([[{ connected: false }], [undefined]])('is not asked of a thing with presence %j', async (presence) => {
    world.things.set('lamp', { ...lamp('lamp'), presence });

    expect(errorOf(await world.to('lamp', 'Alexa.PowerController.TurnOn'))).toBe('ENDPOINT_UNREACHABLE');
    expect(world.shadows.get('lamp')?.desired.size).toBe(0);
    expect(world.now).toBe(START);
  });
});

describe('who asks', () => {
  beforeEach(() => {
    world.addLamp('lamp');
    world.asked = (thing, member, value) => world.report(thing, { [member]: value });
  });

  it.each([
    ['a stranger', 'viewer', undefined, 'NO_SUCH_ENDPOINT', 'NO_SUCH_ENDPOINT'],
    ['a viewer', 'viewer', {}, 'StateReport', 'NO_SUCH_ENDPOINT'],
    ['a controller', 'controller', {}, 'StateReport', 'Response'],
    ['a controller whose time is over', 'controller', { endsAt: START }, 'NO_SUCH_ENDPOINT', 'NO_SUCH_ENDPOINT'],
  ] as const)('%s', async (_, role, grant, reading, changing) => {
    if (grant) world.grant('john', { kind: 'thing', name: 'lamp' }, role, grant);

    expect(errorOf(await world.to('lamp', 'Alexa.ReportState', { person: 'john' }))).toBe(reading);
    expect(errorOf(await world.to('lamp', 'Alexa.PowerController.TurnOn', { person: 'john' }))).toBe(changing);
    expect(world.shadows.get('lamp')?.desired.size).toBe(changing === 'Response' ? 1 : 0);
  });

  it('has everything of a site by a grant for the site, and nothing of a site whose name begins so', async () => {
    for (const thing of ['farm-lamp', 'farm_x-lamp']) world.things.set(thing, lamp(thing));
    world.grant('john', { kind: 'site', name: 'farm' }, 'controller');

    expect(errorOf(await world.to('farm-lamp', 'Alexa.PowerController.TurnOn', { person: 'john' }))).toBe('Response');
    expect(errorOf(await world.to('farm_x-lamp', 'Alexa.ReportState', { person: 'john' }))).toBe('NO_SUCH_ENDPOINT');
    expect((await world.discover('john')).event.payload.endpoints).toMatchObject([{ endpointId: 'farm-lamp' }]);
  });

  it.each([
    ['expired', 'EXPIRED_AUTHORIZATION_CREDENTIAL'],
    ['forged', 'INVALID_AUTHORIZATION_CREDENTIAL'],
  ])('with a token that is %s: %s', async (token, type) => {
    expect(errorOf(await world.to('lamp', 'Alexa.PowerController.TurnOn', { token }))).toBe(type);
    expect(errorOf(await world.acceptGrant(token))).toBe('ACCEPT_GRANT_FAILED');
    expect(world.links).toEqual([]);
  });

  it('cannot name a thing that has no name of a thing', async () => {
    expect(errorOf(await world.to('thing#lamp', 'Alexa.ReportState'))).toBe('NO_SUCH_ENDPOINT');
  });
});

describe('a report of the state', () => {
  it('has what the shadow and the sensors say, in the words of Alexa', async () => {
    world.addLamp('lamp', { power: true, contact: true });
    world.things.set(
      'lamp',
      lamp('lamp', {
        capabilities: ['power', 'contact'],
        sensors: [{ name: 'motion' }, { name: 'attic', unit: 'Cel' }, { name: 'temperature', unit: 'Cel' }],
      }),
    );
    world.readings.set('lamp temperature', { value: 21.5, at: START, receivedAt: START });
    world.readings.set('lamp motion', { value: 1, at: START, receivedAt: START });

    const answer = await world.to('lamp', 'Alexa.ReportState');

    expect(stateIn(answer)).toEqual({
      powerState: 'ON',
      temperature: { value: 21.5, scale: 'CELSIUS' },
      detectionState: 'NOT_DETECTED',
      connectivity: { value: 'OK' },
    });
    const detections = answer.context.properties.filter(({ name }: { name: string }) => name === 'detectionState');
    expect(detections).toMatchObject([
      { namespace: 'Alexa.MotionSensor', value: 'DETECTED' },
      { namespace: 'Alexa.ContactSensor', value: 'NOT_DETECTED' },
    ]);
  });

  it('leaves out what nobody has said, what means nothing, and readings of an earlier owner', async () => {
    const earlier = START - 1001;
    world.addLamp('lamp', { power: 'perhaps', brightness: 140 });
    world.things.set('lamp', lamp('lamp', { sensors: [{ name: 'temperature', unit: 'Cel' }, { name: 'motion' }] }));
    world.readings.set('lamp temperature', { value: 21.5, at: earlier, receivedAt: START });
    // Of a device whose clock is ahead.
    world.readings.set('lamp motion', { value: true, at: START, receivedAt: earlier });

    expect(stateIn(await world.to('lamp', 'Alexa.ReportState'))).toEqual({ connectivity: { value: 'OK' } });
  });

  it('of a thing that is offline says so, with what it last said', async () => {
    world.addLamp('lamp', { power: true });
    world.things.set('lamp', lamp('lamp', { presence: { connected: false } }));

    const answer = await world.to('lamp', 'Alexa.ReportState');

    expect(stateIn(answer)).toEqual({ powerState: 'ON', connectivity: { value: 'UNREACHABLE' } });
  });
});

describe('discovery', () => {
  const endpoints = async () => (await world.discover()).event.payload.endpoints;

  it('shows a person their things, by name, each with what it has; nothing of things without anything', async () => {
    world.addLamp('b');
    world.addLamp('a');
    world.addLamp('gauge');
    world.things.set('gauge', lamp('gauge', { capabilities: [], sensors: [{ name: 'rain' }] }));
    world.things.set('other', lamp('other'));

    const found = await endpoints();

    expect(found.map(({ endpointId }: { endpointId: string }) => endpointId)).toEqual(['a', 'b']);
    expect(found[0]).toMatchObject({ friendlyName: 'a', displayCategories: ['LIGHT'] });
    expect(found[0].capabilities.map((each: { interface: string }) => each.interface)).toEqual([
      'Alexa',
      'Alexa.PowerController',
      'Alexa.BrightnessController',
      'Alexa.EndpointHealth',
    ]);
  });

  it('says which changes Alexa is told of: those of the shadow, not readings', async () => {
    world.addLamp('door');
    world.things.set('door', lamp('door', { capabilities: ['contact'], sensors: [{ name: 't', unit: 'Cel' }] }));

    const [door] = await endpoints();

    expect(door.capabilities).toMatchObject([
      { interface: 'Alexa' },
      { interface: 'Alexa.TemperatureSensor', properties: { proactivelyReported: false } },
      { interface: 'Alexa.ContactSensor', properties: { proactivelyReported: true } },
      { interface: 'Alexa.EndpointHealth', properties: { proactivelyReported: true } },
    ]);
  });

  it('calls a thing by its label, but not by the label of an earlier owner', async () => {
    world.addLamp('mine');
    world.addLamp('inherited');
    world.things.set('mine', lamp('mine', { label: 'Bedside', labelledFor: START - 1000 }));
    world.things.set('inherited', lamp('inherited', { label: 'Of before', labelledFor: START - 9000 }));

    expect((await endpoints()).map((each: { friendlyName: string }) => each.friendlyName)).toEqual([
      'inherited',
      'Bedside',
    ]);
  });

  it('ends at 300 endpoints, and says so to the operator', async () => {
    world.grant('mary', { kind: 'site', name: 'farm' });
    for (let number = 100; number < 450; number += 1) world.things.set(`farm-${number}`, lamp(`farm-${number}`));

    expect(await endpoints()).toHaveLength(300);
    expect(world.cut).toEqual(['mary']);
  });

  it('shows nothing of what is over', async () => {
    world.things.set('lamp', lamp('lamp'));
    world.grant('mary', { kind: 'thing', name: 'lamp' }, 'viewer', { endsAt: START });

    expect(await endpoints()).toEqual([]);
  });
});

describe('linking', () => {
  it('keeps the tokens that Amazon gives for the code', async () => {
    expect(errorOf(await world.acceptGrant('token of mary'))).toBe('AcceptGrant.Response');
    expect(world.links).toMatchObject([{ person: 'mary' }]);
  });

  it('fails in the words of Alexa when Amazon does not take the code', async () => {
    world.login = { ok: false, refused: 'invalid_grant' };

    expect(errorOf(await world.acceptGrant('token of mary'))).toBe('ACCEPT_GRANT_FAILED');
    expect(world.links).toEqual([]);
  });
});

describe('what nobody expects', () => {
  it.each([[undefined], ['text'], [{}], [{ header: { namespace: 'Alexa', name: 'X', payloadVersion: '2' } }]])(
    '%j is answered as no directive',
    async (directive) => {
      expect(errorOf(await world.invoke(directive as object))).toBe('INVALID_DIRECTIVE');
    },
  );

  it('is answered without a word of it, and noted', async () => {
    world.addLamp('lamp');
    Object.assign(world.ports, {
      shadows: { ...world.ports.shadows, read: () => Promise.reject(new Error('secret of the house')) },
    });

    const answer = await world.to('lamp', 'Alexa.PowerController.TurnOn');

    expect(errorOf(answer)).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(world.failures.splice(0)).toHaveLength(1);
  });
});
