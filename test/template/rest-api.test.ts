/** The REST API as it is deployed: the routes of the contracts, each behind the authorizer, and no other. */
import { ROUTES } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import { resources, synthesize } from './synthesis.ts';

const { platform } = synthesize();
const deployed = resources(platform, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);

it('has each route of the contracts, and no other', () => {
  const meant = Object.values(ROUTES).flatMap((group) =>
    Object.values<Route>(group).map(({ method, path }) => `${method} ${path}`),
  );

  expect(deployed.map(({ RouteKey }) => RouteKey).toSorted()).toEqual(meant.toSorted());
});

it('lets nobody in without a token of the app', () => {
  const authorizers = resources(platform, 'AWS::ApiGatewayV2::Authorizer');

  expect(authorizers.map(([, { Properties }]) => Properties.AuthorizerType)).toEqual(['JWT']);
  const [[id] = []] = authorizers;
  for (const { AuthorizationType, AuthorizerId } of deployed) {
    expect({ AuthorizationType, AuthorizerId }).toEqual({ AuthorizationType: 'JWT', AuthorizerId: { Ref: id } });
  }
});
