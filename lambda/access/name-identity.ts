import type { People } from './ports.ts';

/** Others named an identity for this person again and again, or it is somebody else's. */
export class IdentityTakenError extends Error {
  override readonly name = 'IdentityTakenError';
}

const MAX_ATTEMPTS = 5;

/**
 * Stores whose identity it is; false when that is stored already. Several apps of one person may ask at the same time.
 *
 * @throws IdentityTakenError
 */
export async function nameIdentity(person: string, identityId: string, people: People): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const before = (await people.profile(person))?.identityId;
    if (before === identityId) return false;
    if (await people.nameIdentity(person, identityId, before)) return true;
  }
  throw new IdentityTakenError(`${identityId} could not be named by ${person}`);
}
