/** The agent's configuration: one JSON file. Every key is described in device/README.md as well. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { SENSOR_NAME, THING_NAME } from '@thingstead/contracts/names';
import { Description } from '@thingstead/contracts/onboarding';
import * as v from 'valibot';
import { CommandsSchema } from './commands/command-config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import { StateSchema } from './desired-state/state-config.ts';
import { explainIssue } from './explain-issue.ts';
import { type FilesConfig, FilesSchema } from './files/files-config.ts';
import { absoluteFirmware, FirmwareSchema, firmwareContradictions } from './firmware/firmware-config.ts';
import { absoluteHandler, absoluteProgram } from './handlers/handler-config.ts';
import { LOG_LEVELS } from './log.ts';
import { PairingSchema } from './pairing/pairing-config.ts';
import { absolutePkcs11, Pkcs11Schema } from './pkcs11-config.ts';
import { absoluteSource, SourceSchema } from './sensors/source-config.ts';
import { stateDirectory } from './state-directory.ts';

const Seconds = v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400));

/** The text of a key in place of its file would be shown with the complaint that there is no such file. */
const FileName = v.pipe(
  v.string(),
  v.check((text) => !text.includes('-----BEGIN'), 'must name a file; it holds the text of a key or certificate'),
);

const SensorSchema = v.strictObject({
  /** Level of the topic and name in the store. */
  name: v.pipe(v.string(), v.regex(SENSOR_NAME, 'must be 1 to 64 letters, digits, "_", "." or "-"')),
  source: SourceSchema,
  /** How often it is read. */
  intervalSeconds: Seconds,
  /** SenML unit (RFC 8428), for example `Cel` or `%RH`. */
  unit: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(16))),
});
export type SensorConfig = v.InferOutput<typeof SensorSchema>;

const ConfigSchema = v.strictObject({
  /** Thing name, client id and common name of the certificate: one and the same. */
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'must be 1 to 64 letters, digits, "_" or "-"')),
  /** Where AWS IoT listens for MQTT over TLS. The host is a name: it is sent as SNI, and AWS IoT requires that. */
  endpoint: v.strictObject({
    host: v.pipe(
      v.string(),
      v.regex(
        /^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/,
        'must be a name alone, without "https://" and without a port',
      ),
      v.check((host) => isIP(host) === 0, 'must be a name, not an address: AWS IoT wants to hear it (SNI)'),
    ),
    port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 8883),
  }),
  /** PEM files; relative paths start at the configuration file. */
  certificateFile: FileName,
  /** One of the two: the key in a PEM file, or in a PKCS#11 token that never lets it out. */
  privateKeyFile: v.optional(FileName),
  pkcs11: v.optional(Pkcs11Schema),
  /** Whom the device trusts; by default the machine's own root certificates, which know AWS. */
  rootCaFile: v.optional(FileName),
  sensors: v.array(SensorSchema),
  publish: v.optional(
    v.strictObject({
      /** Through Basic Ingest: no messaging charge, but no subscriber sees the readings. */
      basicIngest: v.optional(v.boolean(), true),
      /** Readings wait this long, then go out as one message per sensor. */
      intervalSeconds: v.optional(Seconds, 60),
    }),
    {},
  ),
  /** AWS IoT allows 30 to 1200 s; below 300 s most home routers keep the connection open. */
  keepAliveSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(30), v.maxValue(299)), 60),
  reconnect: v.optional(
    v.strictObject({
      /** No pause is shorter; the ceiling of the first is twice as long, and doubles with every attempt. */
      baseSeconds: v.optional(Seconds, 1),
      /** Ceiling of every pause. */
      capSeconds: v.optional(Seconds, 300),
    }),
    {},
  ),
  outbox: v.optional(
    v.strictObject({
      /** Where readings wait on the disk, in a folder named after the thing. By default as stateDirectory() says. */
      directory: v.optional(v.pipe(v.string(), v.minLength(1))),
      /** What that folder may take, about; then the oldest readings are dropped and counted. */
      maxBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(256 * 1024)), 24 * 1024 * 1024),
      /** Readings that have waited for so many hours of running are dropped and counted. */
      maxAgeHours: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(87_600)), 720),
      /** A reading survives a power cut after at most so long; it survives the end of the process at once. */
      syncSeconds: v.optional(Seconds, 5),
      /** No disk: readings do not survive the process. */
      memory: v.optional(v.boolean(), false),
      /** Bound of the outbox in memory. */
      maxReadings: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 10_000),
    }),
    {},
  ),
  /** What the device says of itself once it is connected. What is left out the board says, where it can. */
  description: v.optional(
    v.strictObject({
      model: v.optional(Description.entries.model),
      hardwareRevision: v.optional(Description.entries.hardwareRevision),
      serial: v.optional(Description.entries.serial),
      /** By default the agent's version. */
      firmwareVersion: v.optional(Description.entries.firmwareVersion),
      /** What can be commanded by voice. */
      capabilities: Description.entries.capabilities,
      /** The thing through which this one speaks. */
      gateway: Description.entries.gateway,
    }),
    {},
  ),
  /** What the cloud may have done, by the name of the command. */
  commands: v.optional(CommandsSchema, {}),
  /** How what the shadow's `desired` says is applied, by the name of its member. */
  state: v.optional(StateSchema, {}),
  /** Files to and from the device; none without it. */
  files: v.optional(FilesSchema),
  /** Updates of the firmware; without it the device only says what it runs. */
  firmware: v.optional(FirmwareSchema),
  /** How a person gets to see a pairing code. */
  pairing: v.optional(PairingSchema, {}),
  /** How the certificate is renewed. What the device gets is kept beside the outbox. */
  renewal: v.optional(
    v.strictObject({
      /** So long before it expires; by default when a third of its life is left. */
      beforeDays: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(3650))),
      /** Where a device asks whose certificate has expired: `POST /certificates/renewals` of the API. */
      url: v.optional(
        v.pipe(v.string(), v.regex(/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])/, 'must begin with https://')),
      ),
    }),
    {},
  ),
  logLevel: v.optional(v.picklist(LOG_LEVELS), 'info'),
});
export type AgentConfig = v.InferOutput<typeof ConfigSchema>;

/**
 * Reads and checks a configuration file. Paths in the result are absolute.
 *
 * @throws ConfigurationError that lists everything that is wrong with it.
 */
export function loadConfig(file: string): AgentConfig {
  const config = parseConfig(readJson(file), file);
  const folder = path.dirname(path.resolve(file));
  const absolute = (name: string): string => path.resolve(folder, name);
  return {
    ...config,
    sensors: config.sensors.map((sensor) => ({ ...sensor, source: absoluteSource(sensor.source, absolute) })),
    outbox: { ...config.outbox, directory: absolute(config.outbox.directory ?? stateDirectory(folder, process.env)) },
    commands: absoluteHandlers(config.commands, absolute),
    state: absoluteHandlers(config.state, absolute),
    ...(config.files && { files: absoluteFiles(config.files, absolute) }),
    ...(config.firmware && { firmware: absoluteFirmware(config.firmware, absolute) }),
    ...(config.pairing.show && {
      pairing: { ...config.pairing, show: absoluteProgram(config.pairing.show, absolute) },
    }),
    certificateFile: absolute(config.certificateFile),
    ...(config.privateKeyFile === undefined ? {} : { privateKeyFile: absolute(config.privateKeyFile) }),
    ...(config.pkcs11 && { pkcs11: absolutePkcs11(config.pkcs11, absolute) }),
    ...(config.rootCaFile === undefined ? {} : { rootCaFile: absolute(config.rootCaFile) }),
  };
}

function absoluteFiles(
  { incoming, outgoing, handler, ...files }: FilesConfig,
  absolute: (path: string) => string,
): FilesConfig {
  return {
    ...files,
    ...(incoming === undefined ? {} : { incoming: absolute(incoming) }),
    ...(outgoing === undefined ? {} : { outgoing: absolute(outgoing) }),
    ...(handler && { handler: absoluteHandler(handler, absolute) }),
  };
}

function absoluteHandlers<T extends Parameters<typeof absoluteHandler>[0]>(
  handlers: Readonly<Record<string, T>>,
  absolute: (name: string) => string,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [name, absoluteHandler(handler, absolute)]),
  );
}

/** Checks a configuration; `file` is for the messages. @throws ConfigurationError that lists everything wrong. */
export function parseConfig(input: unknown, file: string): AgentConfig {
  const result = v.safeParse(ConfigSchema, input);
  if (!result.success)
    throw new ConfigurationError(
      `${file} is not a good configuration`,
      result.issues.map((issue) => explainIssue(ConfigSchema, issue)),
    );
  const problems = [
    ...contradictions(result.output),
    ...firmwareContradictions(result.output.firmware, result.output.outbox),
  ];
  if (problems.length > 0) throw new ConfigurationError(`${file} is not a good configuration`, problems);
  return result.output;
}

/** What is wrong with parts that are good by themselves. */
function contradictions({ privateKeyFile, pkcs11, sensors, commands, files, outbox }: AgentConfig): readonly string[] {
  const problems: string[] = [];
  if ((privateKeyFile === undefined) === (pkcs11 === undefined)) {
    const problem = pkcs11 === undefined ? 'one of them is missing' : 'there are both; the key is in one place only';
    problems.push(`privateKeyFile or pkcs11: ${problem}`);
  }
  const names = sensors.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  problems.push(...twice.map((name) => `sensors: "${name}" is there twice`));
  if (files && outbox.memory) problems.push('files: they need a disk, and there is none (outbox.memory)');
  if (files?.incoming !== undefined && files.incoming === files.outgoing) {
    problems.push('files: incoming and outgoing are one folder; what came in would go out again');
  }
  for (const [name, { repeatable }] of Object.entries(outbox.memory ? commands : {})) {
    if (repeatable) continue;
    const problem = 'without a disk (outbox.memory) it could be done twice: only commands with "repeatable": true';
    problems.push(`commands.${name}: ${problem}`);
  }
  return problems;
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`${file} cannot be read`, [messageOf(cause), ...adviceFor(cause)], { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`${file} is not JSON`, [messageOf(cause)], { cause });
  }
}

/** The files of an installed agent are for its user alone. */
function adviceFor(error: unknown): readonly string[] {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EACCES' ? ['run it as the user of the agent, for example with: sudo -u thingstead'] : [];
}
