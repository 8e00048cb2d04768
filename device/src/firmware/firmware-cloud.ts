import type { FirmwareAnswer, FirmwareRejection, FirmwareRequest } from '@thingstead/contracts/firmware';

export type Grant = Extract<FirmwareAnswer, { type: 'grant' }>;
export type Status = Omit<Extract<FirmwareRequest, { type: 'status' }>, 'type'>;
export type Running = Omit<Extract<FirmwareRequest, { type: 'running' }>, 'type'>;

export type GrantResult =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'rejected'; readonly rejection: FirmwareRejection }
  | { readonly kind: 'unanswered' };

/** What updates need of the cloud. Nothing rejects. */
export interface FirmwareCloud {
  /** Whether there is a connection now. */
  readonly isConnected: boolean;
  /** Resolves when there is one, or the signal is aborted. */
  connected(signal: AbortSignal): Promise<void>;
  /** Asks for leave to download. */
  ask(attempt: string, nonce: string, signal: AbortSignal): Promise<GrantResult>;
  /** `taken` and `refused` are both said: the cloud has heard it. */
  tell(attempt: string, status: Status, signal: AbortSignal): Promise<'taken' | 'refused' | 'unanswered'>;
}
