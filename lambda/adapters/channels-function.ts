import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { GrantTarget } from '@thingstead/contracts/grants';
import type { ChannelsAnswer, ChannelsRequest } from '@thingstead/contracts/notifications';
import type { Notices } from '../access/ports.ts';
import type { Watching } from '../identity-policies/ports.ts';

/** The channels function has failed, or refuses what it should take. */
export class ChannelsRefusedError extends Error {
  override readonly name = 'ChannelsRefusedError';
}

/** The channels function, which keeps how people are told, and about what. */
export class ChannelsFunction implements Watching, Notices {
  readonly #client: LambdaClient;
  readonly #functionName: string;

  constructor(client: LambdaClient, functionName: string) {
    this.#client = client;
    this.#functionName = functionName;
  }

  async watch(person: string, target: GrantTarget): Promise<void> {
    await this.#ask({ action: 'watch', person, target });
  }

  async unwatch(person: string, target: GrantTarget): Promise<void> {
    await this.#ask({ action: 'unwatch', person, target });
  }

  async describe(person: string): Promise<Readonly<Record<string, unknown>>> {
    const { ok: _, ...channels } = await this.#ask({ action: 'list-channels', person });
    const { ok: __, ...preferences } = await this.#ask({ action: 'get-preferences', person });
    return { ...channels, ...preferences };
  }

  async forget(person: string): Promise<void> {
    await this.#ask({ action: 'forget-person', person });
  }

  async #ask(request: ChannelsRequest): Promise<Extract<ChannelsAnswer, { readonly ok: true }>> {
    const answer = await this.#client.send(
      new InvokeCommand({ FunctionName: this.#functionName, Payload: Buffer.from(JSON.stringify(request)) }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString('utf8');
    const read = answer.FunctionError === undefined ? (JSON.parse(text) as ChannelsAnswer) : undefined;
    if (!read?.ok) throw new ChannelsRefusedError(`${request.action} was answered ${text}`);
    return read;
  }
}
