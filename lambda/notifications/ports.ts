import type { DeliveryRow, Preferences, Target, UnconfirmedDelivery } from '@thingstead/contracts/notifications';
import type { Message } from './compose.ts';

/** What is known of a person who is to be told. */
export interface Person {
  /** Undefined when there never was a channel: then there is nothing to publish to. */
  readonly topicArn: string | undefined;
  readonly preferences: Preferences;
  /** By thing; only things for which there are some. */
  readonly things: ReadonlyMap<string, Preferences>;
}

/** People, and what they watch. */
export interface Directory {
  watchers(target: Target): Promise<readonly string[]>;
  person(id: string): Promise<Person>;
}

/** What a claim has come to; `existing`: there is a record of this notice and person already. */
export type Claim =
  | { readonly status: 'claimed' | 'over-limit' }
  | { readonly status: 'existing'; readonly delivery: DeliveryRow };

/** Records of deliveries, read consistently. */
export interface Deliveries {
  /** All of one notice. */
  of(noticeId: string): Promise<readonly DeliveryRow[]>;
  /** Writes the record if there is none, and counts it among the person's notices of the day, both or neither. */
  claim(delivery: DeliveryRow, dailyLimit: number | undefined): Promise<Claim>;
  /** Removes a claim of this token, and takes back its count. Nothing when it is no longer there. */
  release(delivery: DeliveryRow, counted: boolean): Promise<void>;
  /** Ends a claim of this token. Nothing when it has ended already. */
  settle(delivery: DeliveryRow, status: 'sent' | 'unconfirmed', messageId?: string): Promise<void>;
  /** Records that a person was not told, since there were too many notices that day. Nothing when there is a record. */
  refuse(delivery: DeliveryRow): Promise<void>;
}

/** `refused`: SNS said no, so nobody was told. `unknown`: it may have taken the message, or not. */
export type Published =
  | { readonly outcome: 'accepted'; readonly messageId: string }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unknown'; readonly reason: string };

/** People's topics. One call is at most one message: an implementation must not try again by itself. */
export interface Topics {
  publish(topicArn: string, message: Message): Promise<Published>;
}

/** Where what needs a decision waits for the operator. The same may be sent more than once. */
export interface Failures {
  send(delivery: UnconfirmedDelivery): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  sent(delivery: { readonly noticeId: string; readonly person: string; readonly things: number }): void;
  /** SNS said no; the notice comes again. */
  refused(delivery: { readonly noticeId: string; readonly person: string; readonly reason: string }): void;
  unconfirmed(delivery: UnconfirmedDelivery): void;
  /** At least once for each. */
  overLimit(delivery: { readonly noticeId: string; readonly person: string }): void;
  /** Something could not be done, and is tried again. */
  failed(what: string, error: unknown): void;
}

export interface Ports {
  readonly directory: Directory;
  readonly deliveries: Deliveries;
  readonly topics: Topics;
  readonly failures: Failures;
  readonly reports: Reports;
  /** Notices that one person gets on a day (UTC). */
  readonly dailyLimit: number;
  /** Epoch milliseconds. */
  now(): number;
  /** New for every claim. */
  newToken(): string;
  /** False when there is too little time left to publish and to record it. */
  mayBegin(): boolean;
}
