import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where everything is while the runtime runs. Scripts and the operator's command read it. */
export interface Endpoints {
  readonly region: string;
  readonly accountId: string;
  readonly awsEndpoint: string;
  /** The host is a name: clients send no server name for an address. */
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly deviceHttps: { readonly host: string; readonly port: number };
  /** The first HTTP API, with the path of its stage; null without one. */
  readonly apiUrl: string | null;
  readonly webUrl: string | null;
  /** What devices trust. */
  readonly rootCaFile: string;
  readonly operator: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The outputs of each stack. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The process that serves all this. */
  readonly pid: number;
}

/** Writes the file at once, never half of it. Only its owner may read it: it holds the operator's keys. */
export function writeEndpoints(file: string, endpoints: Endpoints): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

/** Takes the file away, unless another runtime has written its own since. */
export function removeEndpoints(file: string): void {
  try {
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
    if (pid === process.pid) rmSync(file, { force: true });
  } catch {
    // There is none, which is what is wanted.
  }
}
