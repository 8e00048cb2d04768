/**
 * Numbers that are known, as text: the first one, then the steps to the next, equal steps in a row as `STEPxTIMES`. Devices number
 * their messages over all sensors, so that one sensor's numbers have gaps, mostly regular ones: a thousand of them are
 * `5,3x999`.
 */
export function encodeSequences(numbers: Iterable<number>): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: { step: number; times: number }[] = [];
  let previous: number | undefined;
  for (const number of sorted) {
    const step = previous === undefined ? number : number - previous;
    const last = parts.at(-1);
    if (parts.length > 1 && last?.step === step) last.times += 1;
    else parts.push({ step, times: 1 });
    previous = number;
  }
  return parts.map(({ step, times }) => (times === 1 ? `${step}` : `${step}x${times}`)).join(',');
}

/** The numbers that `encodeSequences` wrote, in ascending order. */
export function decodeSequences(text: string): number[] {
  if (text === '') return [];
  const numbers: number[] = [];
  let current = 0;
  for (const part of text.split(',')) {
    const [step = 0, times = 1] = part.split('x').map(Number);
    for (let n = 0; n < times; n += 1) {
      current += step;
      numbers.push(current);
    }
  }
  return numbers;
}

/** `<session>-<seq>` with a number in its only usual spelling, so that two ids are never taken for one. */
export function parseNumberedId(id: string): { readonly session: string; readonly sequence: number } | undefined {
  const match = /^(.+)-(0|[1-9]\d{0,14})$/s.exec(id);
  const [, session, sequence] = match ?? [];
  return session === undefined || sequence === undefined ? undefined : { session, sequence: Number(sequence) };
}
