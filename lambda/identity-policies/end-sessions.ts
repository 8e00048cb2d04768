import type { SessionRow } from '@thingstead/contracts/grants';
import type { Ports } from './ports.ts';

/** The broker's clock and ours differ by so much at most; and a connection may begin while policies are being changed. */
const SKEW_MS = 5_000;

/**
 * Ends the connections of an identity that began before its access was reduced: AWS IoT may use the policies that a connection
 * began with for minutes. Connections that have begun since stay. Without a time, all of them end.
 */
export async function endSessions(
  identityId: string,
  reducedAt: number | undefined,
  person: string | undefined,
  ports: Ports,
): Promise<void> {
  for (const session of await ports.sessions.all(identityId)) {
    if (reducedAt === undefined || session.connectedAt < reducedAt + SKEW_MS) {
      await endSession(identityId, session, person, ports);
    }
  }
}

/** A connection has begun: it is ended if that was before its person's access was reduced, or if it is nobody's or of a disabled account. */
export async function checkSession(identityId: string, session: SessionRow, ports: Ports): Promise<void> {
  const person = await ports.people.personOf(identityId);
  const profile = person === undefined ? undefined : await ports.people.profile(person);
  if (profile?.identityId === identityId && profile.disabledAt === undefined) {
    const { accessReducedAt } = profile;
    if (accessReducedAt === undefined || session.connectedAt >= accessReducedAt + SKEW_MS) return;
  }
  await endSession(identityId, session, person, ports);
}

async function endSession(
  identityId: string,
  session: SessionRow,
  person: string | undefined,
  { connections, sessions, reports }: Ports,
): Promise<void> {
  await connections.end(session.clientId);
  await sessions.forget(identityId, session);
  reports.ended({ clientId: session.clientId, person });
}
