import type { CommandRow, LateOutcome } from '@thingstead/contracts/command-store';
import type { Command } from '@thingstead/contracts/routes/commands';

/** A command as the API shows it. */
export function viewOf(row: CommandRow): Command {
  const { thing, id, name, payload, state, givenBy, givenAt, voidAt, changedAt, lateOutcome } = row;
  return {
    ...{ id, thing, name, state, givenBy, givenAt, expiresAt: voidAt, changedAt },
    ...(payload !== undefined && { payload: JSON.parse(payload) }),
    ...endingOf(row),
    ...(lateOutcome && {
      lateOutcome: { state: lateOutcome.state, at: lateOutcome.at, ...endingOf(lateOutcome) },
    }),
  };
}

function endingOf({ reason, result, resultTruncated }: Pick<LateOutcome, 'reason' | 'result' | 'resultTruncated'>) {
  return {
    ...(reason !== undefined && { reason }),
    ...(result !== undefined && { result: JSON.parse(result) as unknown }),
    ...(resultTruncated && { resultTruncated }),
  };
}
