/** Types that are accepted and created nowhere: their effect needs AWS itself. They are printed at the start. */
import { optionalObject, optionalText } from './property-values.ts';
import type { PropertySpec, ResourceHandler, ResourceRequest } from './resource-handler.ts';

function declared(
  type: string,
  properties: readonly string[],
  ref: (request: ResourceRequest) => string = ({ generatedName }) => generatedName,
  attributes: (request: ResourceRequest) => Readonly<Record<string, unknown>> = () => ({}),
): ResourceHandler {
  const specs = properties.map((name): readonly [string, PropertySpec] => [name, 'declared']);
  return {
    type,
    properties: Object.fromEntries(specs),
    declaredOnly: true,
    create: (request) => ({ ref: ref(request), attributes: attributes(request) }),
  };
}

function named(property: string): (request: ResourceRequest) => string {
  return ({ properties, generatedName }) => optionalText(properties[property]) ?? generatedName;
}

function namedInside(input: string): (request: ResourceRequest) => string {
  return ({ properties, generatedName }) => optionalText(optionalObject(properties[input])?.Name) ?? generatedName;
}

const dashboardName = named('DashboardName');

export const declaredOnlyResources: readonly ResourceHandler[] = [
  declared('AWS::CDK::Metadata', ['Analytics']),
  declared('AWS::Glue::Database', ['CatalogId', 'DatabaseInput', 'DatabaseName'], namedInside('DatabaseInput')),
  declared(
    'AWS::Glue::Table',
    ['CatalogId', 'DatabaseName', 'Name', 'OpenTableFormatInput', 'TableInput'],
    namedInside('TableInput'),
  ),
  declared(
    'AWS::Athena::WorkGroup',
    ['Description', 'Name', 'RecursiveDeleteOption', 'State', 'Tags', 'WorkGroupConfiguration'],
    named('Name'),
  ),
  declared('AWS::CloudWatch::Dashboard', ['DashboardBody', 'DashboardName', 'Tags'], dashboardName, (request) => ({
    DashboardArn: `arn:aws:cloudwatch::${request.kernel.accountId}:dashboard/${dashboardName(request)}`,
  })),
  declared('AWS::Budgets::Budget', ['Budget', 'NotificationsWithSubscribers', 'ResourceTags']),
];
