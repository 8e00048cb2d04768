/** The reserved topics of shadows (https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html). */

const REQUEST = /^\$aws\/things\/([^/]+)\/shadow\/(?:name\/([^/]+)\/)?(get|update|delete)$/;

/** Which shadow: the classic one of a thing, or a named one. */
export interface ShadowId {
  readonly thingName: string;
  readonly shadowName: string | undefined;
}

export interface ShadowRequest extends ShadowId {
  readonly action: 'get' | 'update' | 'delete';
}

/** What a message on this topic asks of which shadow; undefined when the topic is none of the three requests. */
export function parseShadowTopic(topic: string): ShadowRequest | undefined {
  if (!topic.startsWith('$aws/things/')) return undefined;
  const [, thingName, shadowName, action] = REQUEST.exec(topic) ?? [];
  if (thingName === undefined || (action !== 'get' && action !== 'update' && action !== 'delete')) return undefined;
  return { thingName, shadowName, action };
}

/** The topics of a shadow begin with this. */
export function shadowTopicPrefix({ thingName, shadowName }: ShadowId): string {
  const classic = `$aws/things/${thingName}/shadow`;
  return shadowName === undefined ? classic : `${classic}/name/${shadowName}`;
}
