import { parseArgs } from 'node:util';

export interface CommandLine {
  readonly assembly: string | undefined;
  readonly portOffset: number;
  readonly accountId: string;
  readonly region: string;
  readonly endpointsFile: string;
  /** The folder that keeps the state; undefined to keep it in memory. */
  readonly data: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
}

export const USAGE = `Usage: npm run local -- [options]

Runs a cloud assembly (the output of cdk synth) on this machine; without one, an empty account.

  --assembly DIR     folder of the cloud assembly, usually cdk.out
  --port-offset N    adds N to every port (4566 AWS, 8883 MQTT, 8443 device HTTPS, 4580 HTTP API)
  --account ID       account id, 12 digits (123456789012)
  --region NAME      region (us-east-1)
  --data DIR         keeps the state in this folder, and goes on with it at the next start
  --endpoints FILE   where to write what is where (.thingstead/endpoints.json)
  --json             one JSON line per event instead of text
  --verbose          more of the log
  --help             this text
`;

/** A command line that cannot be used; its message is for the person who typed it. */
export class UsageError extends Error {}

/** Reads the options; undefined when help was asked for. Throws UsageError. */
export function readCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const portOffset = Number(values['port-offset']);
  if (!Number.isInteger(portOffset) || portOffset < 0 || portOffset > 56_000) {
    throw new UsageError(`--port-offset is ${values['port-offset']}; give a whole number from 0 to 56000`);
  }
  if (!/^\d{12}$/.test(values.account))
    throw new UsageError(`--account is ${values.account}; an account id has 12 digits`);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(values.region)) {
    throw new UsageError(`--region is ${values.region}; a region looks like us-east-1`);
  }
  if (values.data === '') throw new UsageError('--data needs the name of a folder');
  return {
    assembly: values.assembly,
    portOffset,
    accountId: values.account,
    region: values.region,
    endpointsFile: values.endpoints,
    data: values.data,
    json: values.json,
    verbose: values.verbose,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        assembly: { type: 'string' },
        'port-offset': { type: 'string', default: '0' },
        account: { type: 'string', default: '123456789012' },
        region: { type: 'string', default: 'us-east-1' },
        data: { type: 'string' },
        endpoints: { type: 'string', default: '.thingstead/endpoints.json' },
        json: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
