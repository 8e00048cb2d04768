import type { CommandRow } from '@thingstead/contracts/command-store';
import type { CommandOutcome, CommandState } from '@thingstead/contracts/commands';
import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; outcomes that are refused are counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countRefused: () => void;

  constructor(log: Log, countRefused: () => void = () => undefined) {
    this.#log = log;
    this.#countRefused = countRefused;
  }

  changed({ thing, id, name }: Pick<CommandRow, 'thing' | 'id' | 'name'>, state: CommandState): void {
    this.#log.info('command.changed', { thing, id, name, state });
  }

  published({ thing, id, name }: Pick<CommandRow, 'thing' | 'id' | 'name'>): void {
    this.#log.info('command.published', { thing, id, name });
  }

  refused(outcome: { readonly thing: string; readonly command: string; readonly reason: string }): void {
    this.#log.warn('command.outcome_refused', outcome);
    this.#countRefused();
  }

  contradicted(
    { thing, id, state }: Pick<CommandRow, 'thing' | 'id' | 'state'>,
    outcome: CommandOutcome['state'],
  ): void {
    this.#log.warn('command.outcome_contradicts', { thing, id, state, outcome });
  }

  late({ thing, id }: Pick<CommandRow, 'thing' | 'id'>, outcome: CommandOutcome['state']): void {
    this.#log.info('command.outcome_late', { thing, id, outcome });
  }

  failed(what: string, error: unknown): void {
    this.#log.error('command.failed', { what, error });
  }
}
