import type { CreateThingGroupResponse } from '@aws-sdk/client-iot';
import type { ResourceHandler } from '../../../template/resource-handler.ts';

interface Properties {
  readonly ThingGroupDescription?: unknown;
  readonly AttributePayload?: { readonly Attributes?: unknown };
}

/** Static thing groups in templates; a group with a QueryString would be dynamic, which is refused. */
export const thingGroupResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::IoT::ThingGroup',
    properties: {
      ParentGroupName: 'executed',
      Tags: [{ Key: 'executed', Value: 'executed' }],
      ThingGroupName: 'executed',
      ThingGroupProperties: { AttributePayload: { Attributes: 'executed' }, ThingGroupDescription: 'executed' },
    },
    async create({ kernel, caller, generatedName, properties }) {
      const thingGroupName = String(properties.ThingGroupName ?? generatedName);
      // The specification above has let nothing else through.
      const given = Object(properties.ThingGroupProperties) as Properties;
      const input = {
        thingGroupName,
        parentGroupName: properties.ParentGroupName,
        thingGroupProperties: {
          thingGroupDescription: given.ThingGroupDescription,
          attributePayload: { attributes: given.AttributePayload?.Attributes },
        },
        tags: properties.Tags,
      };
      const created = await kernel.call<CreateThingGroupResponse>('iot', 'CreateThingGroup', input, caller);
      return { ref: thingGroupName, attributes: { Arn: created.thingGroupArn, Id: created.thingGroupId } };
    },
    update: {
      properties: ['ThingGroupProperties'],
      async by({ kernel, caller, properties }, before) {
        const given = Object(properties.ThingGroupProperties) as Properties;
        const thingGroupProperties = {
          thingGroupDescription: given.ThingGroupDescription ?? '',
          attributePayload: { attributes: given.AttributePayload?.Attributes ?? {}, merge: false },
        };
        await kernel.call('iot', 'UpdateThingGroup', { thingGroupName: before.ref, thingGroupProperties }, caller);
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: thingGroupName }) =>
      kernel.call('iot', 'DeleteThingGroup', { thingGroupName }, caller),
  },
];
