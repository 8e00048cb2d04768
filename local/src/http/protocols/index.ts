/** The protocols of AWS services; a service names the ones it speaks. */
export type { InputType, InputTypes } from './input-types.ts';
export { type JsonProtocolOptions, jsonProtocol } from './json-protocol.ts';
export { asBuffer, parseJsonBody, toJson } from './json-values.ts';
export type { Flattened } from './query-input.ts';
export { type QueryProtocolOptions, queryProtocol } from './query-protocol.ts';
export { type RestJsonOptions, type Route, type RouteOptions, restJsonProtocol, route } from './rest-json-protocol.ts';
export { escapeXml } from './xml.ts';
