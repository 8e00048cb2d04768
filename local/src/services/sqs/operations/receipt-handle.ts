import { AwsError } from '../../../kernel/errors.ts';

/** @throws AwsError ReceiptHandleIsInvalid for what no ReceiveMessage gave out, MissingParameter for nothing */
export function checkReceiptHandle(receiptHandle: string | undefined): string {
  if (!receiptHandle) {
    throw new AwsError('MissingParameter', 'The request must contain the parameter ReceiptHandle.');
  }
  if (!/^[0-9a-f-]{72}$/.test(receiptHandle)) {
    throw new AwsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`,
    );
  }
  return receiptHandle;
}
