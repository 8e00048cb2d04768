/** Streams of names in their order, from which pages are made. */
import { beyond, inOrder, isIn, type NameRange } from './name-range.ts';
import type { List, ThingLists } from './ports.ts';

/** The name of a thing that may be on the page, or only a place: all that was asked up to there has been given. */
export interface Candidate {
  readonly at: string;
  readonly isThing: boolean;
}
export type Candidates = AsyncGenerator<Candidate, void, void>;

/** A partition is asked for more each time, up to this. */
const MAX_NAMES_PER_QUERY = 200;

/** Names that are known already. */
export async function* known(names: readonly string[], range: NameRange): Candidates {
  const inRange = names.filter((name) => isIn(name, range)).sort(inOrder);
  for (const at of inRange) yield { at, isThing: true };
}

/** The names of one list. `expected` is how many of them will probably be taken. */
export async function* listed(lists: ThingLists, list: List, range: NameRange, expected: number): Candidates {
  let left: NameRange | undefined = range;
  for (let limit = expected; left; limit = Math.min(2 * limit, MAX_NAMES_PER_QUERY)) {
    const names = await lists.names(list, left, limit);
    for (const at of names) yield { at, isThing: true };
    const last = names.at(-1);
    left = last === undefined || names.length < limit ? undefined : beyond(left, last);
  }
}

/** One after the other, each begun only when it is needed; the end of each but the last is a place. Their ranges lie in this order. */
export async function* oneByOne(
  streams: readonly { readonly candidates: () => Candidates; readonly end: string }[],
): Candidates {
  for (const [index, { candidates, end }] of streams.entries()) {
    yield* candidates();
    if (index < streams.length - 1) yield { at: end, isThing: false };
  }
}

/** All at the same time, as one stream; what several have comes once. */
export async function* merged(streams: readonly Candidates[]): Candidates {
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, head: await stream.next() })));
  let last: string | undefined;
  for (;;) {
    const first = heads.filter(({ head }) => !head.done).sort((a, b) => inOrder(placeOf(a.head), placeOf(b.head)))[0];
    if (!first?.head.value) return;
    const { value } = first.head;
    if (value.at !== last) yield value;
    last = value.at;
    first.head = await first.stream.next();
  }
}

function placeOf(head: IteratorResult<Candidate, void>): string {
  return head.value?.at ?? '';
}
