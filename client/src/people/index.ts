/** People at the user pool and the identity pool, for browsers and Node: sign-in, lasting sessions, credentials, MQTT. */
export { SignInError } from './aws-json.ts';
export { credentialsFor, type IdentityPoolOptions } from './identity-pool.ts';
export { signedMqttUrl } from './mqtt-url.ts';
export { createSession, type Session } from './session.ts';
export { type Tokens, type UserPool, type UserPoolOptions, userPool } from './user-pool.ts';
