import {
  CreatePlatformEndpointCommand,
  DeleteEndpointCommand,
  GetEndpointAttributesCommand,
  InvalidParameterException,
  NotFoundException,
  SetEndpointAttributesCommand,
  type SNSClient,
} from '@aws-sdk/client-sns';
import type { Accepted, Endpoints } from '../channels/ports.ts';

/** Says SNS of a token that is registered with other attributes; the documented way to find that endpoint. */
const EXISTS = /Endpoint (arn:\S+) already exists with the same Token/;

/** Platform endpoints of SNS: the telephones of an application. */
export class PlatformEndpoints implements Endpoints {
  readonly #client: SNSClient;

  constructor(client: SNSClient) {
    this.#client = client;
  }

  async create(PlatformApplicationArn: string, Token: string): Promise<Accepted> {
    const command = new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token });
    try {
      const { EndpointArn = '' } = await this.#client.send(command);
      return { ok: true, arn: EndpointArn };
    } catch (error) {
      if (!(error instanceof InvalidParameterException)) throw error;
      const arn = EXISTS.exec(error.message)?.[1];
      return arn === undefined ? { ok: false, reason: 'SNS does not take this token' } : { ok: true, arn };
    }
  }

  async attributes(EndpointArn: string): Promise<{ readonly token: string; readonly enabled: boolean } | undefined> {
    try {
      const { Attributes = {} } = await this.#client.send(new GetEndpointAttributesCommand({ EndpointArn }));
      return { token: Attributes.Token ?? '', enabled: Attributes.Enabled === 'true' };
    } catch (error) {
      if (error instanceof NotFoundException) return undefined;
      throw error;
    }
  }

  async renew(EndpointArn: string, Token: string): Promise<Accepted> {
    const command = new SetEndpointAttributesCommand({ EndpointArn, Attributes: { Token, Enabled: 'true' } });
    try {
      await this.#client.send(command);
      return { ok: true, arn: EndpointArn };
    } catch (error) {
      if (error instanceof InvalidParameterException) return { ok: false, reason: 'SNS does not take this token' };
      throw error;
    }
  }

  async delete(EndpointArn: string): Promise<void> {
    await this.#client.send(new DeleteEndpointCommand({ EndpointArn }));
  }
}
