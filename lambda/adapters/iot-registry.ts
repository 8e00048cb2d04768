import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  type IoTClient,
  paginateListThingPrincipals,
  RegisterCertificateCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import type { AuthorityCertificate, DeviceCertificate, Registry, Thing } from '../registration/ports.ts';

/** AWS IoT answered without a member that it always has. */
export class IncompleteAnswerError extends Error {
  override readonly name = 'IncompleteAnswerError';
}

/** The registry of AWS IoT. Every certificate gets the same policy. */
export class IotRegistry implements Registry {
  readonly #client: IoTClient;
  readonly #policyName: string;

  constructor(client: IoTClient, policyName: string) {
    this.#client = client;
    this.#policyName = policyName;
  }

  async certificate(certificateId: string): Promise<DeviceCertificate | undefined> {
    const answer = await found(this.#client.send(new DescribeCertificateCommand({ certificateId })));
    if (!answer) return undefined;
    const { certificateArn, certificatePem, status, caCertificateId } = answer.certificateDescription ?? {};
    if (!certificateArn || !certificatePem || !status) {
      throw new IncompleteAnswerError(`DescribeCertificate of ${certificateId}`);
    }
    return { arn: certificateArn, pem: certificatePem, status, caCertificateId };
  }

  async authority(certificateId: string): Promise<AuthorityCertificate | undefined> {
    const answer = await found(this.#client.send(new DescribeCACertificateCommand({ certificateId })));
    if (!answer) return undefined;
    const { certificatePem, status, autoRegistrationStatus } = answer.certificateDescription ?? {};
    if (!certificatePem) throw new IncompleteAnswerError(`DescribeCACertificate of ${certificateId}`);
    return { pem: certificatePem, active: status === 'ACTIVE', autoRegistration: autoRegistrationStatus === 'ENABLE' };
  }

  async principalsOf(thingName: string): Promise<readonly string[]> {
    const principals: string[] = [];
    try {
      const pages = paginateListThingPrincipals({ client: this.#client }, { thingName });
      for await (const page of pages) principals.push(...(page.principals ?? []));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    return principals;
  }

  async thing(thingName: string): Promise<Thing | undefined> {
    const answer = await found(this.#client.send(new DescribeThingCommand({ thingName })));
    return answer && { name: thingName, type: answer.thingTypeName, attributes: answer.attributes ?? {} };
  }

  async createThing({ name, type, attributes }: Thing): Promise<boolean> {
    const thing = { thingName: name, thingTypeName: type, attributePayload: { attributes: { ...attributes } } };
    try {
      await this.#client.send(new CreateThingCommand(thing));
      return true;
    } catch (error) {
      if (error instanceof ResourceAlreadyExistsException) return false;
      throw error;
    }
  }

  async updateThing({ name, type, attributes }: Thing): Promise<void> {
    const attributePayload = { attributes: { ...attributes }, merge: true };
    await this.#client.send(new UpdateThingCommand({ thingName: name, thingTypeName: type, attributePayload }));
  }

  async attachPolicy(target: string): Promise<void> {
    await this.#client.send(new AttachPolicyCommand({ policyName: this.#policyName, target }));
  }

  async attachThing(principal: string, thingName: string): Promise<void> {
    await this.#client.send(new AttachThingPrincipalCommand({ thingName, principal }));
  }

  /** Makes a certificate of this CA known, INACTIVE. PEM both. One that is known stays as it is. */
  async register(certificatePem: string, caCertificatePem: string): Promise<void> {
    try {
      await this.#client.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem, status: 'INACTIVE' }));
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
  }

  async setStatus(certificateId: string, newStatus: 'ACTIVE' | 'INACTIVE'): Promise<void> {
    await this.#client.send(new UpdateCertificateCommand({ certificateId, newStatus }));
  }
}

/** Undefined instead of the error that says there is none. */
export async function found<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
