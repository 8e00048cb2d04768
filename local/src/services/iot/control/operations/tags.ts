import type {
  ListTagsForResourceCommandInput,
  ListTagsForResourceResponse,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation, Permission } from '../../../../kernel/service.ts';
import type { ControlPlane } from '../control-plane.ts';
import { invalidRequest, required } from '../errors.ts';
import { page } from '../page.ts';

/** Tags of resources (https://docs.aws.amazon.com/iot/latest/developerguide/tagging-iot.html). */
export function tagOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { tags: resourceTags } = plane;
  const existing = (arn: string | undefined) => {
    const resourceArn = required(arn, 'resourceArn');
    requireTaggable(plane, resourceArn);
    return resourceArn;
  };
  return {
    TagResource: operation<TagResourceCommandInput, object>({
      permissions: ({ resourceArn, tags = [] }) => [
        {
          action: 'iot:TagResource',
          resource: required(resourceArn, 'resourceArn'),
          context: requestTags(tags),
        },
      ],
      run({ resourceArn, tags }) {
        resourceTags.add(existing(resourceArn), tags);
        return {};
      },
    }),
    UntagResource: operation<UntagResourceCommandInput, object>({
      permissions: ({ resourceArn, tagKeys = [] }) => [
        {
          action: 'iot:UntagResource',
          resource: required(resourceArn, 'resourceArn'),
          context: { 'aws:TagKeys': tagKeys },
        },
      ],
      run({ resourceArn, tagKeys = [] }) {
        resourceTags.remove(existing(resourceArn), tagKeys);
        return {};
      },
    }),
    ListTagsForResource: operation<ListTagsForResourceCommandInput, ListTagsForResourceResponse>({
      permissions: ({ resourceArn }) => [
        { action: 'iot:ListTagsForResource', resource: required(resourceArn, 'resourceArn') },
      ],
      run({ resourceArn, nextToken }) {
        const all = resourceTags.of(existing(resourceArn));
        const { items, next } = page(all, ({ Key }) => Key, { size: undefined, token: nextToken });
        return { tags: [...items], nextToken: next };
      },
    }),
  };
}

/** What a Create operation needs when it is given tags: `iot:TagResource` too, and the tags as condition keys. */
export function taggingPermissions(
  permissions: readonly Permission[],
  tags: readonly Tag[] | undefined,
): readonly Permission[] {
  if (!tags?.length) return permissions;
  const context = requestTags(tags);
  return permissions.flatMap((permission) => [
    { ...permission, context: { ...permission.context, ...context } },
    { action: 'iot:TagResource', resource: permission.resource, context },
  ]);
}

function requestTags(tags: readonly Tag[]): NonNullable<Permission['context']> {
  const pairs = tags.map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, Value] as const);
  return { ...Object.fromEntries(pairs), 'aws:TagKeys': tags.map(({ Key = '' }) => Key) };
}

/** Throws ResourceNotFoundException for what is not there, InvalidRequestException for what takes no tags. */
function requireTaggable({ kernel, policies, things, roleAliases, cas }: ControlPlane, arn: string): void {
  const finders: Readonly<Record<string, (name: string) => unknown>> = {
    cacert: (name) => cas.get(name),
    policy: (name) => policies.get(name),
    rolealias: (name) => roleAliases.get(name),
    thinggroup: (name) => things.groups.get(name),
    thingtype: (name) => things.types.get(name),
  };
  const prefix = kernel.arn('iot', '');
  const [kind = '', name = ''] = arn.startsWith(prefix) ? arn.slice(prefix.length).split('/') : [];
  const find = Object.hasOwn(finders, kind) ? finders[kind] : undefined;
  if (!find) {
    const kinds = Object.keys(finders).map((each) => `${prefix}${each}/`);
    throw invalidRequest(`${arn} takes no tags; an ARN of a resource that does begins with ${kinds.join(', ')}`);
  }
  find(name);
}
