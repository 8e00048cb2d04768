import { optionalBoolean, optionalNumber, optionalObject, optionalText } from '../../template/property-values.ts';
import type { ResourceHandler } from '../../template/resource-handler.ts';
import { invalidParameter } from './errors.ts';
import { randomPassword } from './random-password.ts';

/** What CloudFormation creates in Secrets Manager. */
export const secretsmanagerResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::SecretsManager::Secret',
    properties: {
      Description: 'executed',
      GenerateSecretString: {
        ExcludeCharacters: 'executed',
        ExcludeLowercase: 'executed',
        ExcludeNumbers: 'executed',
        ExcludePunctuation: 'executed',
        ExcludeUppercase: 'executed',
        GenerateStringKey: 'executed',
        IncludeSpace: 'executed',
        PasswordLength: 'executed',
        RequireEachIncludedType: 'executed',
        SecretStringTemplate: 'executed',
      },
      KmsKeyId: 'executed',
      Name: 'executed',
      SecretString: 'executed',
      Tags: [{ Key: 'executed', Value: 'executed' }],
    },
    async create({ kernel, caller, generatedName, properties }) {
      const generate = optionalObject(properties.GenerateSecretString);
      const text = optionalText(properties.SecretString);
      if (generate && text !== undefined) {
        throw invalidParameter('Give either SecretString or GenerateSecretString, not both.');
      }
      const input = {
        Name: optionalText(properties.Name) ?? generatedName,
        Description: properties.Description,
        KmsKeyId: properties.KmsKeyId,
        Tags: properties.Tags,
        // Without either AWS makes a password of 32 characters.
        SecretString: text ?? generated(generate ?? {}),
      };
      const { ARN } = await kernel.call<{ ARN: string }>('secretsmanager', 'CreateSecret', input, caller);
      return { ref: ARN, attributes: { Id: ARN } };
    },
    update: {
      properties: ['SecretString'],
      async by({ kernel, caller, properties: { SecretString } }, before) {
        // A value that the template no longer names stays as it is.
        if (SecretString !== undefined) {
          await kernel.call('secretsmanager', 'PutSecretValue', { SecretId: before.ref, SecretString }, caller);
        }
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: SecretId }) =>
      kernel.call('secretsmanager', 'DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true }, caller),
  },
];

/** A password, alone or as a member of the template's JSON object. */
function generated(given: Readonly<Record<string, unknown>>): string {
  const password = randomPassword({
    ExcludeCharacters: optionalText(given.ExcludeCharacters),
    ExcludeLowercase: optionalBoolean(given.ExcludeLowercase),
    ExcludeNumbers: optionalBoolean(given.ExcludeNumbers),
    ExcludePunctuation: optionalBoolean(given.ExcludePunctuation),
    ExcludeUppercase: optionalBoolean(given.ExcludeUppercase),
    IncludeSpace: optionalBoolean(given.IncludeSpace),
    PasswordLength: optionalNumber(given.PasswordLength),
    RequireEachIncludedType: optionalBoolean(given.RequireEachIncludedType),
  });
  const template = optionalText(given.SecretStringTemplate);
  const key = optionalText(given.GenerateStringKey);
  if ((template === undefined) !== (key === undefined)) {
    throw invalidParameter('SecretStringTemplate and GenerateStringKey belong together.');
  }
  if (template === undefined || key === undefined) return password;
  let members: unknown;
  try {
    members = JSON.parse(template);
  } catch {
    throw invalidParameter('SecretStringTemplate is not JSON.');
  }
  return JSON.stringify({ ...Object(members), [key]: password });
}
