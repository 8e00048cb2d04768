import { type Role, reaches, ThingName } from '@thingstead/contracts/grants';
import type { Directive, VoiceThingRow } from '@thingstead/contracts/voice';
import * as v from 'valibot';
import type { Failure } from '../alexa/messages.ts';
import { accessTo } from '../authorization/access.ts';
import type { Access } from '../http/request.ts';
import type { Ports } from './ports.ts';

export interface Authorized {
  readonly ok: true;
  readonly person: string;
  readonly row: VoiceThingRow;
  readonly access: Access;
}

type Refused = { readonly ok: false; readonly failure: Failure };

/** Who speaks, by the token; Alexa's client and no other has it. */
export async function personOf(
  token: string,
  { tokens }: Pick<Ports, 'tokens'>,
): Promise<{ readonly ok: true; readonly person: string } | Refused> {
  const verified = await tokens.verify(token);
  if (verified.ok) return verified;
  const type = verified.reason === 'expired' ? 'EXPIRED_AUTHORIZATION_CREDENTIAL' : 'INVALID_AUTHORIZATION_CREDENTIAL';
  return { ok: false, failure: { type, message: `the access token is ${verified.reason}` } };
}

/** Whether the speaker may do this with the thing. A thing of others is answered as one that is not there. */
export async function authorize(
  { scope, endpointId }: NonNullable<Directive['endpoint']>,
  needed: Role,
  ports: Ports,
): Promise<Authorized | Refused> {
  const who = await personOf(scope.token, ports);
  if (!who.ok) return who;
  const missing: Refused = { ok: false, failure: { type: 'NO_SUCH_ENDPOINT', message: 'there is no such endpoint' } };
  if (!v.is(ThingName, endpointId)) return missing;
  const access = await accessTo(who.person, { kind: 'thing', name: endpointId }, ports);
  if (access?.role === undefined || !reaches(access.role, needed)) return missing;
  const row = await ports.things.read(endpointId);
  return row ? { ok: true, person: who.person, row, access } : missing;
}
