/** The command `npm run local`: starts one runtime and stays until it is told to end. */
import path from 'node:path';
import { type CommandLine, readCommandLine, USAGE, UsageError } from './command-line.ts';
import { DataFolder, DataFolderError } from './data/data-folder.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints-file.ts';
import { createLog } from './log.ts';
import { endpointOf, Runtime } from './runtime.ts';
import { resourceHandlers } from './services/index.ts';
import { AssemblyError } from './template/assembly.ts';
import { type Plan, planAssembly } from './template/plan.ts';
import { DeploymentFailure, TemplateProblems } from './template/problems.ts';
import { serverCertificate } from './tls/server-certificate.ts';

const HOST = '127.0.0.1';
const FAILED = 1;
const WRONG_USAGE = 2;

async function main(args: readonly string[]): Promise<void> {
  const options = readCommandLine(args);
  if (!options) {
    process.stdout.write(USAGE);
    return;
  }
  const say = speaker(options.json);
  const log = createLog(!options.json && process.stderr.isTTY === true, options.verbose ? 'debug' : 'info');
  const plan = options.assembly === undefined ? undefined : planAssembly(options.assembly, resourceHandlers, options);
  const ports = {
    aws: 4566 + options.portOffset,
    mqtt: 8883 + options.portOffset,
    deviceHttps: 8443 + options.portOffset,
    api: 4580 + options.portOffset,
  };
  const tls = await serverCertificate(path.join(path.dirname(options.endpointsFile), 'tls'));
  const { region, accountId } = options;
  const endpoint = endpointOf(HOST, ports.aws);
  const data =
    options.data === undefined ? undefined : await DataFolder.open(options.data, { accountId, region, endpoint });
  const runtime = new Runtime({ region, accountId, host: HOST, ports, tls, plan, log, data });
  endOnSignal(runtime, options.endpointsFile);
  await runtime.start();
  const endpoints: Endpoints = {
    region,
    accountId,
    awsEndpoint: runtime.endpoint,
    mqtt: { host: 'localhost', port: ports.mqtt },
    deviceHttps: { host: 'localhost', port: ports.deviceHttps },
    apiUrl: await runtime.apiUrl(),
    webUrl: null,
    rootCaFile: tls.rootCaFile,
    operator: runtime.operator,
    outputs: runtime.outputs,
    pid: process.pid,
  };
  writeEndpoints(options.endpointsFile, endpoints);
  sayReady(say, options, endpoints, plan);
}

type Say = (event: string, fields: Readonly<Record<string, unknown>>, text: string) => void;

function speaker(json: boolean): Say {
  return (event, fields, text) => {
    process.stdout.write(json ? `${JSON.stringify({ event, ...fields })}\n` : `${text}\n`);
  };
}

function sayReady(say: Say, options: CommandLine, endpoints: Endpoints, plan: Plan | undefined): void {
  const seconds = process.uptime().toFixed(1);
  for (const { type, stackName, logicalId } of plan?.declaredOnly ?? []) {
    const text = `Declared only, not run here: ${stackName}/${logicalId} (${type})`;
    say('declared-only', { stackName, logicalId, type }, text);
  }
  const lines = [
    `Local runtime of account ${endpoints.accountId} in ${endpoints.region}, ready after ${seconds} s`,
    `  AWS endpoint   ${endpoints.awsEndpoint}`,
    `  MQTT           ${endpoints.mqtt.host}:${endpoints.mqtt.port} (mutual TLS)`,
    `  device HTTPS   ${endpoints.deviceHttps.host}:${endpoints.deviceHttps.port} (mutual TLS)`,
    ...(endpoints.apiUrl === null ? [] : [`  HTTP API       ${endpoints.apiUrl}`]),
    `  root CA        ${endpoints.rootCaFile}`,
    `  all of it      ${options.endpointsFile}`,
    `  stacks         ${plan ? plan.stacks.map(({ name }) => name).join(', ') : 'none: an empty account'}`,
  ];
  say('ready', { endpointsFile: path.resolve(options.endpointsFile), seconds: Number(seconds) }, lines.join('\n'));
}

function endOnSignal(runtime: Runtime, endpointsFile: string): void {
  let ending = false;
  const end = () => {
    // A second signal is from someone who does not want to wait.
    if (ending) process.exit(FAILED);
    ending = true;
    removeEndpoints(endpointsFile);
    runtime.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // Also when it ends by a defect: scripts must not find addresses where nobody answers.
  process.on('exit', () => removeEndpoints(endpointsFile));
}

function fail(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(error instanceof UsageError ? WRONG_USAGE : FAILED);
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  const forUser = [TemplateProblems, DeploymentFailure, AssemblyError, DataFolderError].some(
    (type) => error instanceof type,
  );
  if (forUser && error instanceof Error) return error.message;
  const { code, port } = Object(error) as { readonly code?: string; readonly port?: number };
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use, perhaps by another runtime. End that one, or shift all ports of this one with --port-offset.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main(process.argv.slice(2)).catch(fail);
