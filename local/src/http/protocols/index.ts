/** The protocols of AWS services; a service names the ones it speaks. */
export type { InputType } from './input-types.ts';
export { jsonProtocol } from './json-protocol.ts';
export { toJson } from './json-values.ts';
export { queryProtocol } from './query-protocol.ts';
export { type Route, restJsonProtocol, route } from './rest-json-protocol.ts';
export { escapeXml } from './xml.ts';
