/** The state of an alarm by AWS's own tables: alarms-and-missing-data in the user guide of CloudWatch. */
import { type Rule, stateFor, type TreatMissingData } from '../../local/src/services/cloudwatch/evaluate-alarm.ts';

const TREATMENTS: readonly TreatMissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

/** `0` is within the threshold, `X` beyond it, `-` missing; the oldest first, as in the tables. */
function states(datapoints: string, evaluationPeriods: number, datapointsToAlarm: number): string[] {
  const values = [...datapoints.replaceAll(' ', '')].reverse().map((each) => ({ 0: 0, X: 2 })[each]);
  return TREATMENTS.map((treatMissingData) => {
    const rule: Rule = {
      comparison: 'GreaterThanThreshold',
      threshold: 1,
      evaluationPeriods,
      datapointsToAlarm,
      treatMissingData,
    };
    // The state before is one that no rule gives by itself: what is retained shows.
    return stateFor(rule, values, 'RETAINED' as 'OK');
  });
}

describe('an alarm on three of three datapoints', () => {
  it.each([
    ['0 - X - X', ['OK', 'OK', 'OK', 'OK']],
    ['- - - - 0', ['OK', 'OK', 'OK', 'OK']],
    ['- - - - -', ['INSUFFICIENT_DATA', 'RETAINED', 'ALARM', 'OK']],
    ['0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['- - X - -', ['ALARM', 'RETAINED', 'ALARM', 'OK']],
  ])('with %s', (datapoints, expected) => {
    expect(states(datapoints, 3, 3)).toEqual(expected);
  });
});

describe('an alarm on two of three datapoints', () => {
  it.each([
    ['0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - X -', ['ALARM', 'RETAINED', 'ALARM', 'OK']],
  ])('with %s', (datapoints, expected) => {
    expect(states(datapoints, 3, 2)).toEqual(expected);
  });
});
