import type { Client } from '@thingstead/client';
import type { Command } from 'commander';
import { type Cloud, connectTo } from './cloud.ts';
import { type Deployment, resolveDeployment } from './deployment.ts';
import { Journal } from './journal.ts';
import type { Output } from './output.ts';
import { signedInAs } from './signed-in.ts';
import { type GlobalOptions, resolveTarget } from './target.ts';

/** What a command works with. */
export interface Context {
  readonly options: GlobalOptions;
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The clients, made when first asked for. */
  cloud(): Cloud;
  readonly journal: Journal;
  /** Where people sign in. @throws CommandError (usage) on AWS without the file of the outputs */
  deployment(): Deployment;
  /** The REST API for the person with this e-mail address. Nothing is called yet. */
  api(email: string): Client;
}

/** Puts the context in front of what commander gives to an action. */
export type Bind = <Args extends unknown[]>(
  action: (context: Context, ...args: Args) => Promise<void>,
) => (...given: unknown[]) => Promise<void>;

/** Adds one command to its parent. Each file in commands/ exports one. */
export type AddCommand = (parent: Command, bind: Bind) => void;

/** A context for these options. */
export function createContext(options: GlobalOptions, output: Output, signal: AbortSignal): Context {
  let cloud: Cloud | undefined;
  return {
    options,
    output,
    signal,
    journal: new Journal(),
    cloud: () => {
      cloud ??= connectTo(resolveTarget(options));
      return cloud;
    },
    deployment: () => resolveDeployment(options),
    api: (email) => signedInAs(email, resolveDeployment(options), output),
  };
}
