/**
 * A service of the runtime is a set of operations behind one dispatch, `kernel.call`. The front door, the template
 * loader, rule actions and event sources all come through it, and so through the IAM check.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PolicyDocument } from '../iam/policy-document.ts';
import type { Caller } from './caller.ts';
import type { KeptState } from './kept-state.ts';
import type { WireProtocol, WireRequest, WireResponse } from './wire.ts';

/** One thing that the caller must be allowed for an operation to run. */
export interface Permission {
  /** As policies write it: `dynamodb:PutItem`. */
  readonly action: string;
  /** The ARN it acts on, or `*` where AWS has no resource for the action. */
  readonly resource: string;
  /** Condition keys of this request beside the global ones: `dynamodb:LeadingKeys`, `iam:PassedToService`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /** The policy on the resource itself, where it has one: queue, topic, function, bucket, key. */
  readonly resourcePolicy?: PolicyDocument | undefined;
  /**
   * True for KMS keys: IAM policies count only as far as the resource's own policy leaves the decision to the account
   * (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
   */
  readonly resourcePolicyDecides?: true;
}

export interface CallContext {
  readonly caller: Caller;
  /** The request id that answers and errors carry. */
  readonly requestId: string;
  /** The address of the client; undefined for calls from inside. */
  readonly sourceIp?: string | undefined;
}

export interface Operation<Input, Output> {
  /** What the caller must be allowed before `run`. An empty list where AWS asks for nothing. Throws on bad input. */
  permissions(input: Input, context: CallContext): readonly Permission[];
  run(input: Input, context: CallContext): Promise<Output> | Output;
}

/** An operation whose input and output types have been forgotten, as the dispatch keeps it. */
export type AnyOperation = Operation<never, unknown>;

/** A request to become a WebSocket, once its sender is known. */
export interface WebSocketUpgrade {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly caller: Caller;
}

export interface Service {
  /** What `kernel.call` and the meter call it: `dynamodb`, `iot`, `iot-data`. */
  readonly name: string;
  /** The names in a SigV4 scope that mean this service: `['iotdata', 'iotdevicegateway']`. */
  readonly signingNames: readonly string[];
  /** How it speaks on the wire; the first that recognises a request serves it. Empty: no front door. */
  readonly protocols: readonly WireProtocol[];
  readonly operations: Readonly<Record<string, AnyOperation>>;
  /**
   * Answers the requests that AWS takes without a signature, such as the links in mails of SNS; undefined for the rest.
   */
  readonly unsigned?: (request: WireRequest, requestId: string) => Promise<WireResponse> | undefined;
  /** Adds to an answer what depends on the request that it is for: headers for browsers. Also to one that says why it failed. */
  readonly complete?: (request: WireRequest, answer: WireResponse) => WireResponse;
  /** Takes a WebSocket whose upgrade was signed for this service; false when it has none at that path. */
  readonly webSocket?: (upgrade: WebSocketUpgrade) => boolean;
  /** What it keeps with `--data`; a service that has no state says so with undefined. */
  readonly state: KeptState | undefined;
  /** Ends what it keeps open (connections, workers, pollers). Called once, when the state is thrown away. */
  close?(): Promise<void>;
}
