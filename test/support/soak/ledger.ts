/** What devices of a soak have sent, by their own account. */

export interface SentReading {
  /** Epoch milliseconds. */
  readonly time: number;
  /** A multiple of a half, so that sums are exact in every order. */
  readonly value: number;
}

export interface SentMessage {
  readonly thing: string;
  readonly sensor: string;
  /** `<session>-<number>`; the same however often it is sent. */
  readonly id: string;
  readonly readings: readonly SentReading[];
}

/** What the process of the devices answers. */
export interface Progress {
  /** Messages that were made. */
  readonly sent: number;
  /** Messages that the broker has acknowledged. */
  readonly acknowledged: number;
  /** Messages that were published again after a connection had ended. */
  readonly repeated: number;
  readonly connections: number;
}

/** What the process of the devices is asked. */
export type Order =
  | {
      readonly order: 'start';
      readonly seed: number;
      readonly target: { readonly host: string; readonly port: number; readonly trust: string };
      readonly devices: readonly { readonly thing: string; readonly pem: string; readonly keyPem: string }[];
      /** A device sends a message at every interval. */
      readonly intervalMs: number;
    }
  | { readonly order: 'progress' }
  /** No new messages; the answer comes when all are acknowledged, and the ledger is in the file, a message per line. */
  | { readonly order: 'finish'; readonly ledgerFile: string; readonly withinMs: number };
