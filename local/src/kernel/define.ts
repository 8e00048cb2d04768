import type { AnyOperation, Operation } from './service.ts';

/** Declares an operation with the SDK's own input and output types, and hands it to the dispatch, which has none. */
export function operation<Input, Output>(definition: Operation<Input, Output>): AnyOperation {
  return definition as AnyOperation;
}
