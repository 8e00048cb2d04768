import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { GrantTarget } from '@thingstead/contracts/grants';
import type { ChannelsAnswer, ChannelsRequest } from '@thingstead/contracts/notifications';
import type { Watching } from '../identity-policies/ports.ts';

/** The channels function has failed, or refuses what it should take. */
export class WatchRefusedError extends Error {
  override readonly name = 'WatchRefusedError';
}

/** Asks the channels function, which keeps who is told about what. */
export class WatchRequests implements Watching {
  readonly #client: LambdaClient;
  readonly #functionName: string;

  constructor(client: LambdaClient, functionName: string) {
    this.#client = client;
    this.#functionName = functionName;
  }

  watch(person: string, target: GrantTarget): Promise<void> {
    return this.#ask({ action: 'watch', person, target });
  }

  unwatch(person: string, target: GrantTarget): Promise<void> {
    return this.#ask({ action: 'unwatch', person, target });
  }

  async #ask(request: ChannelsRequest): Promise<void> {
    const answer = await this.#client.send(
      new InvokeCommand({ FunctionName: this.#functionName, Payload: Buffer.from(JSON.stringify(request)) }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString('utf8');
    const isDone = answer.FunctionError === undefined && (JSON.parse(text) as ChannelsAnswer).ok;
    if (!isDone) throw new WatchRefusedError(`${request.action} was answered ${text}`);
  }
}
