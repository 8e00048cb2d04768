/** Where features run: on the local runtime, or with TARGET=aws on the stacks deployed in an account. */

export interface Target {
  /** For any SDK client. */
  readonly config: {
    readonly region: string;
    readonly endpoint?: string;
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly deviceHttps: { readonly host: string; readonly port: number };
  /** PEM file with what a device trusts. */
  readonly rootCaFile: string;
  /** Outputs of all stacks. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Lets time pass. */
  advance(seconds: number): Promise<void>;
  /** Lets end what is under way: when nothing should come of it, there is no result to wait for. */
  idle(): Promise<void>;
  /** The result of a check that must pass when `seconds` are over, or earlier. Rejects as the check does. */
  soon<T>(check: () => Promise<T>, seconds?: number): Promise<T>;
  /** Resolves when this client may send its next CONNECT. */
  mayConnect(clientId: string): Promise<void>;
  /** Ends the target, or takes back what a run has made in it. */
  stop(made: Made): Promise<void>;
}

/** What a run made that nothing else finds. */
export interface Made {
  /** Ids of CA certificates. What they have issued is found through them. */
  readonly caIds: Set<string>;
  /** Keys in the registration table. */
  readonly rows: Set<string>;
}

export const onAws = targetName() === 'aws';

function targetName(): 'local' | 'aws' {
  const { TARGET = 'local' } = process.env;
  if (TARGET === 'local' || TARGET === 'aws') return TARGET;
  throw new Error(`TARGET=${TARGET} is no target of features; there are "local" (the default) and "aws"`);
}

/** Features that need a deployment of their own. On AWS they are reported as skipped, with the reason. */
export function describeLocally(reason: string, name: string, tests: () => void): void {
  if (!onAws) {
    describe(name, tests);
    return;
  }
  process.stderr.write(`\nSKIPPED: ${name}: on the local runtime only, since it needs ${reason}\n`);
  describe.skip(`${name} (local runtime only: needs ${reason})`, tests);
}
