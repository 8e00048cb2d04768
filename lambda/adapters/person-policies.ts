import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachPolicyCommand,
  GetPolicyCommand,
  type IoTClient,
  ListPolicyVersionsCommand,
  paginateListAttachedPolicies,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  VersionsLimitExceededException,
} from '@aws-sdk/client-iot';
import { PERSON_POLICY_PREFIX } from '@thingstead/contracts/grants';
import type { AttachedPolicy, Policies } from '../identity-policies/ports.ts';

/** Policies on Cognito identities: https://docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html */
export class PersonPolicies implements Policies {
  readonly #client: IoTClient;

  constructor(client: IoTClient) {
    this.#client = client;
  }

  async attached(identityId: string): Promise<readonly AttachedPolicy[]> {
    const found: AttachedPolicy[] = [];
    for await (const { policies = [] } of paginateListAttachedPolicies(
      { client: this.#client },
      { target: identityId },
    )) {
      for (const { policyName: name = '' } of policies) {
        // What an operator has attached by hand is not ours.
        if (!name.startsWith(PERSON_POLICY_PREFIX)) continue;
        const document = await this.#document(name);
        if (document !== undefined) found.push({ name, document });
      }
    }
    return found;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#document(name)) !== undefined;
  }

  async put({ name, document }: AttachedPolicy, identityId: string): Promise<void> {
    const current = await this.#document(name);
    if (current === undefined) await this.#create(name, document);
    else if (current !== document) await this.#replace(name, document);
    // Attaching what is attached changes nothing.
    await this.#client.send(new AttachPolicyCommand({ policyName: name, target: identityId }));
  }

  async remove(name: string, identityId: string): Promise<void> {
    await unlessGone(this.#client.send(new DetachPolicyCommand({ policyName: name, target: identityId })));
    await unlessGone(this.#deleteOldVersions(name));
    await unlessGone(this.#client.send(new DeletePolicyCommand({ policyName: name })));
  }

  async #document(policyName: string): Promise<string | undefined> {
    const found = await unlessGone(this.#client.send(new GetPolicyCommand({ policyName })));
    // However it is laid out.
    return found && JSON.stringify(JSON.parse(found.policyDocument ?? ''));
  }

  async #create(policyName: string, policyDocument: string): Promise<void> {
    try {
      await this.#client.send(new CreatePolicyCommand({ policyName, policyDocument }));
    } catch (error) {
      // The answer to an earlier attempt was lost.
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
      await this.#replace(policyName, policyDocument);
    }
  }

  /** A policy has five versions at most. */
  async #replace(policyName: string, policyDocument: string): Promise<void> {
    const command = new CreatePolicyVersionCommand({ policyName, policyDocument, setAsDefault: true });
    try {
      await this.#client.send(command);
    } catch (error) {
      if (!(error instanceof VersionsLimitExceededException)) throw error;
      await this.#deleteOldVersions(policyName);
      await this.#client.send(command);
    }
  }

  async #deleteOldVersions(policyName: string): Promise<void> {
    const { policyVersions = [] } = await this.#client.send(new ListPolicyVersionsCommand({ policyName }));
    for (const { versionId: policyVersionId, isDefaultVersion } of policyVersions) {
      if (isDefaultVersion) continue;
      await unlessGone(this.#client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId })));
    }
  }
}

/** Undefined when what it is about is not there. */
async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
