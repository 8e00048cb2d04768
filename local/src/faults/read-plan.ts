import { type Fault, type FaultPlan, POINTS, type Point } from './points.ts';
import { isTopicFilter } from './topic-filter.ts';

/** What is wrong with a plan: the path of the member, and what would be right. */
export class InvalidPlanError extends Error {
  override readonly name = 'InvalidPlanError';
}

/** The services of the runtime by name, each with the names of its operations. */
export type KnownOperations = ReadonlyMap<string, readonly string[]>;

type Members = Readonly<Record<string, unknown>>;

const MEMBERS = ['at', 'match', 'do', 'probability', 'skip', 'times', 'delaySeconds', 'now'];

/**
 * Reads `{"seed"?: int, "faults": [...]}`. Every member is checked: a plan that does no harm because of a typing error
 * would let every test pass.
 *
 * @throws InvalidPlanError
 */
export function readPlan(given: unknown, known: KnownOperations): FaultPlan {
  const plan = membersOf('the plan', given, ['seed', 'faults']);
  const { seed = 0, faults } = plan;
  if (!Number.isSafeInteger(seed)) throw wrong('seed', seed, 'a whole number');
  if (!Array.isArray(faults)) throw wrong('faults', faults, 'a list; an empty one ends all harm');
  return { seed: seed as number, faults: faults.map((each, at) => readFault(`faults[${at}]`, each, known)) };
}

function readFault(path: string, given: unknown, known: KnownOperations): Fault {
  const fault = membersOf(path, given, MEMBERS);
  const { at, do: harm, probability = 1, skip = 0, times, now = false } = fault;
  if (!isPoint(at)) throw wrong(`${path}.at`, at, oneOf(Object.keys(POINTS)));
  const harms: readonly string[] = POINTS[at].harms;
  if (typeof harm !== 'string' || !harms.includes(harm)) throw wrong(`${path}.do`, harm, `at ${at} ${oneOf(harms)}`);
  if (typeof probability !== 'number' || !(probability >= 0 && probability <= 1)) {
    throw wrong(`${path}.probability`, probability, 'a number from 0 to 1');
  }
  if (!isCount(skip)) throw wrong(`${path}.skip`, skip, 'a whole number from 0');
  if (times !== undefined && !(isCount(times) && times > 0))
    throw wrong(`${path}.times`, times, 'a whole number from 1');
  if (typeof now !== 'boolean') throw wrong(`${path}.now`, now, 'true or false');
  if (now && at !== 'connection') throw wrong(`${path}.now`, now, 'for at "connection" only');
  const match = readMatch(`${path}.match`, at, fault.match ?? {}, known);
  return {
    at,
    match,
    do: harm,
    probability,
    skip,
    times,
    delaySeconds: readDelay(path, harm, fault.delaySeconds),
    now,
  };
}

function readMatch(path: string, at: Point, given: unknown, known: KnownOperations): Fault['match'] {
  const match = membersOf(path, given, POINTS[at].match);
  const read: Record<string, string | boolean> = {};
  for (const [name, value] of Object.entries(match)) {
    const where = `${path}.${name}`;
    if (name === 'errorAction') {
      if (typeof value !== 'boolean') throw wrong(where, value, 'true or false');
    } else if (typeof value !== 'string' || value === '') throw wrong(where, value, 'a text that is not empty');
    read[name] = value;
  }
  // An error action that fails loses the message: only who names it wants that.
  if (at === 'rule-action') read.errorAction ??= false;
  const { topic, service, operation } = read;
  if (typeof topic === 'string' && !isTopicFilter(topic)) throw wrong(`${path}.topic`, topic, 'an MQTT topic filter');
  if (typeof service === 'string' && !known.has(service))
    throw wrong(`${path}.service`, service, oneOf([...known.keys()]));
  const operations = typeof service === 'string' ? (known.get(service) ?? []) : [...known.values()].flat();
  if (typeof operation === 'string' && !operations.includes(operation)) {
    throw wrong(`${path}.operation`, operation, `an operation of ${service ?? 'a service'}, such as ${operations[0]}`);
  }
  return read;
}

/** Something delayed comes by the time alone; something reordered also with the next one. */
function readDelay(path: string, harm: string, given: unknown): number | undefined {
  const where = `${path}.delaySeconds`;
  if (given === undefined) {
    if (harm === 'delay') throw wrong(where, given, 'a number of seconds above 0');
    return undefined;
  }
  if (harm !== 'delay' && harm !== 'reorder') throw wrong(where, given, 'for do "delay" and "reorder" only');
  if (typeof given !== 'number' || !Number.isFinite(given) || given <= 0) {
    throw wrong(where, given, 'a number of seconds above 0');
  }
  return given;
}

function membersOf(path: string, given: unknown, allowed: readonly string[]): Members {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong(path, given, 'an object');
  const unknown = Object.keys(given).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new InvalidPlanError(`${path} has no member ${unknown}; it has ${allowed.join(', ')}`);
  }
  return given as Members;
}

function isPoint(given: unknown): given is Point {
  return typeof given === 'string' && Object.hasOwn(POINTS, given);
}

function isCount(given: unknown): given is number {
  return Number.isSafeInteger(given) && (given as number) >= 0;
}

function oneOf(names: readonly string[]): string {
  return `one of ${names.join(', ')}`;
}

function wrong(path: string, given: unknown, right: string): InvalidPlanError {
  return new InvalidPlanError(
    `${path} is ${given === undefined ? 'missing' : JSON.stringify(given)}; it has to be ${right}`,
  );
}
