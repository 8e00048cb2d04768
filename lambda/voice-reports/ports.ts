import type { GrantTarget } from '@thingstead/contracts/grants';
import type { AlexaLinkRow, ReportedRow, VoiceReport } from '@thingstead/contracts/voice';
import type { Message } from '../alexa/messages.ts';
import type { Grants } from '../authorization/access.ts';
import type { AlexaTokens, Login, VoiceThings } from '../voice/ports.ts';

/** Who may have access, by what for. Grants that were made or ended a moment ago may be missing, or there still. */
export interface PeopleOfTargets {
  people(target: GrantTarget): Promise<readonly string[]>;
}

/** A person's link to Alexa; its tokens are encrypted. */
export interface Links {
  find(person: string): Promise<AlexaLinkRow | undefined>;
  open(link: AlexaLinkRow): Promise<AlexaTokens>;
  /** Keeps new tokens, if the person has not linked again, or ended it, in the meantime. */
  renew(link: AlexaLinkRow, tokens: AlexaTokens): Promise<void>;
  /** Removes a link and what goes with it; nothing when the person has linked again. */
  remove(link: AlexaLinkRow): Promise<void>;
  /** Removes what a person was told, which means nothing without a link. */
  forget(person: string): Promise<void>;
}

/** Which changes Alexa was told of. */
export interface Reported {
  last(person: string, thing: string): Promise<ReportedRow | undefined>;
  write(person: string, thing: string, row: ReportedRow): Promise<void>;
  forget(person: string, thing: string): Promise<void>;
}

export interface Renewals {
  refresh(refreshToken: string): Promise<Login>;
}

/**
 * What the event gateway says. `unauthorized`: another token is needed. `disabled`: the person has switched the skill off.
 * https://developer.amazon.com/en-US/docs/alexa/smarthome/send-events.html
 */
export type Posted =
  | { readonly outcome: 'accepted' | 'unauthorized' | 'disabled' }
  | { readonly outcome: 'failed'; readonly reason: string };

export interface EventGateway {
  post(message: Message, token: string): Promise<Posted>;
}

/** Where reports wait to be sent. */
export interface ReportQueue {
  send(reports: readonly VoiceReport[]): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  sent(report: { readonly name: string; readonly person: string; readonly things: readonly string[] }): void;
  /** The person's skill is disabled, or Amazon no longer takes the tokens: nothing is sent until they link again. */
  unlinked(person: string, reason: string): void;
  failed(what: string, error: unknown): void;
}

export interface Ports {
  readonly grants: Grants;
  readonly people: PeopleOfTargets;
  readonly things: VoiceThings;
  readonly links: Links;
  readonly reported: Reported;
  readonly authorizations: Renewals;
  readonly gateway: EventGateway;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
  /** A UUID. */
  newId(): string;
}
