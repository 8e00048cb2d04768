import { existsSync } from 'node:fs';
import path from 'node:path';
import { positiveInteger, positiveNumber, thingName } from '../arguments.ts';
import { caFolder, DEFAULT_CA_DIR, readCa } from '../ca-folder.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { createDevice } from '../create-device.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';
import { pause } from '../pause.ts';
import { listCas, registerCa } from '../registered-cas.ts';
import { SimulatedDevice } from '../simulated-device.ts';
import { STATE_FOLDER } from '../target.ts';
import { certificateIdOf, createCaPair, type Pair } from '../x509.ts';

interface Options {
  readonly prefix: string;
  readonly seconds?: number;
  readonly ca: string;
}

const VALID_DAYS = 30;
const REPORT_MS = 5_000;

/** `simulate`: devices that join as real ones do, each with its own key, certificate and agent. */
export const addSimulate: AddCommand = (program, bind) => {
  program
    .command('simulate')
    .summary('runs devices on this machine that join and send made-up readings')
    .argument('<count>', 'how many', positiveInteger)
    .option('--prefix <prefix>', 'begin of their names', thingName, 'sim-')
    .option('--seconds <seconds>', 'ends by itself', positiveNumber)
    .option(
      '--ca <name>',
      'the CA that issues their certificates; made and registered when it is not there',
      'simulator',
    )
    .action(
      bind(async (context, count: number, { prefix, seconds, ca }: Options) => {
        const { output, signal } = context;
        const pair = await ensureCa(context, ca);
        const names = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
        const configs = [];
        for (const name of names) configs.push({ name, config: await ensureDevice(context, name, pair) });
        const started = performance.now();
        const devices = configs.map(
          ({ name, config }) =>
            new SimulatedDevice(name, config, (device) => {
              const after = ((performance.now() - started) / 1000).toFixed(1);
              output.say(`${device.thing}  joined after ${after} s, ${device.refused} times refused before`);
            }),
        );
        const running = Promise.all(devices.map((each) => each.ended));
        await observe(context, devices, running, seconds);
        for (const device of devices) device.stop();
        await running;
        report(context, devices);
        const outside = devices.filter((each) => !each.joined);
        if (outside.length > 0 && !signal.aborted) {
          throw new CommandError('offline', `${outside.length} of ${count} devices did not get in.`, {
            causes: outside.slice(0, 3).map((each) => `${each.thing}: ${each.problem}`),
            next: `thingstead device show ${outside[0]?.thing}`,
          });
        }
      }),
    );
};

/** Prints counts now and then until the time is over, Ctrl-C, or all agents have ended. */
async function observe(
  { output, signal }: Context,
  devices: readonly SimulatedDevice[],
  running: Promise<unknown>,
  seconds?: number,
): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop);
  void running.then(stop);
  const end = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  while (!over.signal.aborted && performance.now() < end) {
    await pause(Math.min(REPORT_MS, end - performance.now()), over.signal);
    const sum = (of: (device: SimulatedDevice) => number): number =>
      devices.reduce((total, each) => total + of(each), 0);
    output.say(
      `${sum((each) => Number(each.joined))} of ${devices.length} joined, ${sum((each) => each.messages)} messages, ${sum((each) => each.readings)} readings`,
    );
  }
}

function report({ output }: Context, devices: readonly SimulatedDevice[]): void {
  const rows = devices.map(({ thing, joined, refused, messages, readings }) => ({
    thing,
    joined,
    refused,
    messages,
    readings,
  }));
  output.table(
    [
      { title: 'THING', value: (row) => row.thing },
      { title: 'JOINED', value: (row) => (row.joined ? 'yes' : 'no'), fixed: true },
      { title: 'REFUSED', value: (row) => String(row.refused), fixed: true },
      { title: 'MESSAGES', value: (row) => String(row.messages), fixed: true },
      { title: 'READINGS', value: (row) => String(row.readings), fixed: true },
    ],
    rows,
    '',
  );
}

/** The CA of this name, made if it is not on this machine, and registered if it is not in the cloud. */
async function ensureCa({ cloud, output, journal }: Context, name: string): Promise<Pair> {
  const { certificateFile, keyFile, folder } = caFolder(name, DEFAULT_CA_DIR);
  if (!existsSync(keyFile)) {
    const made = await createCaPair(name, VALID_DAYS, Date.now());
    writeNewFile(keyFile, made.privateKey, SECRET_MODE);
    writeNewFile(certificateFile, made.certificate);
  }
  const pair = readCa(name, DEFAULT_CA_DIR);
  const certificateId = certificateIdOf(pair.certificate);
  if (!(await listCas(cloud())).some((each) => each.certificateId === certificateId)) {
    await registerCa(cloud(), pair, 'sni-only', Date.now());
    journal.add({ target: await cloud().id(), kind: 'ca', name, certificateId, folder });
    output.say(`The CA "${name}" is registered; "thingstead clean" takes it away again.`);
  }
  return pair;
}

/** The configuration file of a simulated device; its key and certificate are kept from one run to the next. */
async function ensureDevice({ cloud, journal }: Context, name: string, ca: Pair): Promise<string> {
  const target = await cloud().id();
  const folder = path.join(STATE_FOLDER, 'simulated', target.replaceAll(/[^a-zA-Z0-9.-]+/g, '_'), name);
  const configFile = path.join(folder, 'device.json');
  if (existsSync(configFile)) return configFile;
  const endpoint = await cloud().deviceEndpoint();
  const created = await createDevice({
    name,
    ca,
    days: VALID_DAYS,
    folder,
    endpoint,
    sensors: 'simulator',
    demo: cloud().local,
  });
  journal.add({ target, kind: 'device', name, certificateId: created.certificateId, folder });
  return created.configFile;
}
