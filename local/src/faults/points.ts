/**
 * Where the runtime can do harm, and which: the places at which AWS itself may crash, repeat, delay, reorder or lose
 * something. `match` names what a fault may be narrowed to.
 */
export const POINTS = {
  /** A call to a service through the AWS endpoint. */
  call: {
    match: ['function', 'service', 'operation'],
    harms: ['crash-before', 'crash-after', 'lose-answer', 'error', 'throttle', 'conflict'],
  },
  /** An invocation of a function, however it comes. */
  invocation: { match: ['function'], harms: ['error', 'lose-result', 'duplicate'] },
  /** A message of SQS handed to a receiver. */
  'queue-delivery': { match: ['queue'], harms: ['duplicate', 'delay', 'reorder'] },
  /** A batch of a stream handed to a function. */
  'stream-delivery': { match: ['stream'], harms: ['duplicate'] },
  /** A message that AWS IoT itself publishes: `$aws/events/#`, answers of shadows. */
  event: { match: ['topic'], harms: ['duplicate', 'delay', 'drop', 'reorder'] },
  /** An action of a rule. */
  'rule-action': { match: ['rule', 'action', 'errorAction'], harms: ['error', 'duplicate'] },
  /** An MQTT connection, at a packet from its client. */
  connection: { match: ['clientId'], harms: ['cut', 'silence'] },
} as const;

export type Point = keyof typeof POINTS;
export type HarmAt<P extends Point> = (typeof POINTS)[P]['harms'][number];

/** What is known of something that passes a point; undefined for what it does not have. */
export type Facts<P extends Point> = {
  readonly [Name in (typeof POINTS)[P]['match'][number]]: (Name extends 'errorAction' ? boolean : string) | undefined;
};

/** One harm of a plan, checked. */
export interface Fault {
  readonly at: Point;
  readonly match: Readonly<Record<string, string | boolean>>;
  readonly do: string;
  /** 0 to 1 */
  readonly probability: number;
  /** How many matches pass unharmed before the first harm. */
  readonly skip: number;
  /** At most this many harms; undefined for no limit. */
  readonly times: number | undefined;
  /** Virtual time. */
  readonly delaySeconds: number | undefined;
  /** To the connections that exist when the plan comes, and to no other. */
  readonly now: boolean;
}

export interface FaultPlan {
  readonly seed: number;
  readonly faults: readonly Fault[];
}
