/** Claims by the day on which their certificate expires. */
export interface Claims {
  /** How many things have a certificate that expires on this day, `2027-05-03`. It may be late by seconds. */
  countOf(day: string): Promise<number>;
}

/** Tells the operator. */
export interface Reports {
  /** Also when there are none. */
  counted(expiring: number, days: Readonly<Record<string, number>>): void;
}

export interface Ports {
  readonly claims: Claims;
  readonly reports: Reports;
  /** How many days it looks ahead. */
  readonly noticeDays: number;
  /** Epoch milliseconds. */
  now(): number;
}
