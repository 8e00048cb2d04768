import { createHash } from 'node:crypto';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SUFFIX_LENGTH = 12;
/** Stack name and logical id are cut so that the whole fits 64 characters, the shortest limit of a name. */
const PART_LENGTH = 25;

/** A name as CloudFormation gives to resources without one; the same at every start, other than on AWS. */
export function generatedName(stackName: string, logicalId: string): string {
  const digest = createHash('sha256').update(`${stackName}/${logicalId}`).digest();
  const suffix = [...digest.subarray(0, SUFFIX_LENGTH)].map((byte) => CHARACTERS[byte % CHARACTERS.length]).join('');
  return `${stackName.slice(0, PART_LENGTH)}-${logicalId.slice(0, PART_LENGTH)}-${suffix}`;
}

/** The ARN of a stack; its id is the same at every start. */
export function stackArn(region: string, accountId: string, stackName: string): string {
  const hex = createHash('sha256').update(stackName).digest('hex');
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
  return `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/${id}`;
}
