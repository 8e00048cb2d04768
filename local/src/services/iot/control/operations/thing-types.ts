import type {
  CreateThingTypeCommandInput,
  CreateThingTypeResponse,
  DeleteThingTypeCommandInput,
  DeprecateThingTypeCommandInput,
  DescribeThingTypeCommandInput,
  DescribeThingTypeResponse,
  ListThingTypesCommandInput,
  ListThingTypesResponse,
} from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import type { ThingType } from '../../registry/thing-types.ts';
import { type ControlPlane, on, onAll } from '../control-plane.ts';
import { matching, optionNotEmulated } from '../errors.ts';
import { page } from '../page.ts';
import { taggingPermissions } from './tags.ts';

const THING_TYPE_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;

/** Administration of thing types (https://docs.aws.amazon.com/iot/latest/developerguide/thing-types.html). */
export function thingTypeOperations(plane: ControlPlane): Readonly<Record<string, AnyOperation>> {
  const { things, tags: resourceTags } = plane;
  const { types } = things;
  const checked = (name: string | undefined) => matching(name, 'thingTypeName', THING_TYPE_NAME);
  const onType = (action: string, name: string | undefined) => on(plane, action, `thingtype/${checked(name)}`);
  return {
    CreateThingType: operation<CreateThingTypeCommandInput, CreateThingTypeResponse>({
      permissions: ({ thingTypeName, tags }) => taggingPermissions(onType('CreateThingType', thingTypeName), tags),
      run({ thingTypeName, thingTypeProperties, tags }) {
        resourceTags.check(tags);
        if (thingTypeProperties?.mqtt5Configuration) throw optionNotEmulated('mqtt5Configuration of thing types');
        const type = types.create(checked(thingTypeName), {
          description: thingTypeProperties?.thingTypeDescription,
          searchableAttributes: thingTypeProperties?.searchableAttributes ?? [],
        });
        resourceTags.add(type.arn, tags);
        return { thingTypeName: type.name, thingTypeArn: type.arn, thingTypeId: type.id };
      },
    }),
    DescribeThingType: operation<DescribeThingTypeCommandInput, DescribeThingTypeResponse>({
      permissions: ({ thingTypeName }) => onType('DescribeThingType', thingTypeName),
      run({ thingTypeName }) {
        const type = types.get(checked(thingTypeName));
        return { ...describe(type), thingTypeId: type.id };
      },
    }),
    ListThingTypes: operation<ListThingTypesCommandInput, ListThingTypesResponse>({
      permissions: () => onAll('ListThingTypes'),
      run({ thingTypeName, maxResults, nextToken }) {
        const wanted = [...types.all].filter(({ name }) => thingTypeName === undefined || name === thingTypeName);
        const { items, next } = page(wanted, ({ name }) => name, { size: maxResults, token: nextToken });
        return { thingTypes: items.map(describe), nextToken: next };
      },
    }),
    DeprecateThingType: operation<DeprecateThingTypeCommandInput, object>({
      permissions: ({ thingTypeName }) => onType('DeprecateThingType', thingTypeName),
      run({ thingTypeName, undoDeprecate }) {
        types.deprecate(checked(thingTypeName), undoDeprecate === true);
        return {};
      },
    }),
    DeleteThingType: operation<DeleteThingTypeCommandInput, object>({
      permissions: ({ thingTypeName }) => onType('DeleteThingType', thingTypeName),
      run({ thingTypeName }) {
        const name = checked(thingTypeName);
        types.delete(
          name,
          [...things.all].some((thing) => thing.typeName === name),
        );
        resourceTags.forget(plane.kernel.arn('iot', `thingtype/${name}`));
        return {};
      },
    }),
  };
}

function describe({ name, arn, properties, createdAt, deprecatedAt }: ThingType) {
  return {
    thingTypeName: name,
    thingTypeArn: arn,
    thingTypeProperties: {
      thingTypeDescription: properties.description,
      searchableAttributes: [...properties.searchableAttributes],
    },
    thingTypeMetadata: {
      deprecated: deprecatedAt !== undefined,
      deprecationDate: deprecatedAt === undefined ? undefined : new Date(deprecatedAt),
      creationDate: new Date(createdAt),
    },
  };
}
