import { Option } from 'commander';

/** Commands of people, and not of operators with AWS credentials, say as whom. */
export function asOption(): Option {
  return new Option(
    '--as <email>',
    'as this person; asks for the password, or takes it from THINGSTEAD_PASSWORD',
  ).makeOptionMandatory();
}
