import { AwsError } from '../../../../kernel/errors.ts';

/**
 * The error of a statement that cannot be read or compiled, with its place in the text
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html#API_CreateTopicRule_Errors).
 */
export function sqlParseError(source: string, offset: number, message: string): AwsError {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return new AwsError('SqlParseException', `line ${line}, column ${column}: ${message}`);
}
