import type { IotAuthorizer, IotPrincipal } from '../types.ts';

/** Enough for a device and its shadows; a gateway that speaks for more topics just starts to remember again. */
const MAX_REMEMBERED = 512;

export interface AccessOptions {
  readonly authorizer: IotAuthorizer;
  readonly principal: IotPrincipal;
  readonly clientId: string;
  readonly sourceIp: string | undefined;
}

export type TopicAction = 'iot:Publish' | 'iot:RetainPublish' | 'iot:Receive';

/**
 * What one connection may do. Answers about topics are remembered until the authorizer's revision changes, so that a
 * device that repeats its topics costs one look-up per message.
 */
export class Access {
  readonly options: AccessOptions;
  readonly #mayKeep: boolean;
  readonly #answers: Record<TopicAction, Map<string, boolean>> = {
    'iot:Publish': new Map(),
    'iot:RetainPublish': new Map(),
    'iot:Receive': new Map(),
  };
  #revision: number | undefined;

  constructor(options: AccessOptions) {
    this.options = options;
    // IAM policies have no revision, so answers about IAM callers are never kept.
    this.#mayKeep = options.principal.kind === 'certificate' && options.authorizer.revision !== undefined;
  }

  /** May it `action` this topic? */
  onTopic(action: TopicAction, topic: string): boolean {
    if (!this.#mayKeep) return this.allows(action, `topic/${topic}`);
    const { revision } = this.options.authorizer;
    if (revision !== this.#revision) {
      this.#revision = revision;
      for (const each of Object.values(this.#answers)) each.clear();
    }
    const answers = this.#answers[action];
    let answer = answers.get(topic);
    if (answer === undefined) {
      if (answers.size >= MAX_REMEMBERED) answers.clear();
      answer = this.allows(action, `topic/${topic}`);
      answers.set(topic, answer);
    }
    return answer;
  }

  /** May it publish this, retained or not? RetainPublish is needed in addition to Publish. */
  mayPublish(topic: string, retain: boolean): boolean {
    return this.onTopic('iot:Publish', topic) && (!retain || this.onTopic('iot:RetainPublish', topic));
  }

  /** May it subscribe to this filter, compared as it stands, with its `$share` prefix? */
  maySubscribe(filter: string): boolean {
    return this.allows('iot:Subscribe', `topicfilter/${filter}`);
  }

  allows(action: string, resource: string, context?: Readonly<Record<string, string | readonly string[]>>): boolean {
    const { authorizer, principal, clientId, sourceIp } = this.options;
    return authorizer.allows({
      principal,
      action,
      resource,
      protocol: 'mqtt',
      clientId,
      sourceIp,
      ...(context && { context }),
    });
  }
}
