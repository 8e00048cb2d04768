import { AwsError } from '../../../kernel/errors.ts';
import type { Permission } from '../../../kernel/service.ts';

/** Who calls: what messages carry as principal, and from where. */
export interface Origin {
  readonly principal: string | undefined;
  readonly sourceIp: string | undefined;
}

/**
 * An operation of the data plane. It is reached two ways: signed with SigV4, where IAM decides about its permissions,
 * and with a device certificate, where the certificate's IoT policies decide about the same.
 */
export interface DataOperation<Input, Output> {
  permissions(input: Input): readonly Permission[];
  run(input: Input, origin: Origin): Output;
}

/** An operation whose types have been forgotten: the wire gives none. */
export type AnyDataOperation = DataOperation<unknown, unknown>;

/** Declares an operation with the SDK's own types. */
export function dataOperation<Input, Output>(definition: DataOperation<Input, Output>): AnyDataOperation {
  // The wire gives no types; each operation checks what it reads.
  return definition as AnyDataOperation;
}

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequestException', message, 400);
}

/** A member that AWS requires. */
export function required(value: string | undefined, name: string): string {
  if (value) return value;
  throw invalidRequest(`${name} is required`);
}
