/** What hangs on a person's grants, in memory; any call to it can be the last one of a run. */
import {
  type GrantRow,
  type GrantTarget,
  grantKey,
  type Role,
  type SessionRow,
  targetKey,
  targetOfKey,
} from '@thingstead/contracts/grants';
import type { AttachedPolicy, Ports } from '../../lambda/identity-policies/ports.ts';

export const PERSON = 'ada';
export const IDENTITY = 'eu-west-1:0b0c5fd1-93b8-4e1d-8a9d-7a7b7f9a1c11';

export class CutOff extends Error {
  override readonly name = 'CutOff';
}

interface Policy {
  document: string;
  attached: boolean;
}

export class AccessWorld {
  grants: readonly GrantRow[] = [];
  identityId: string | undefined = IDENTITY;
  hasProfile = true;
  accessReducedAt: number | undefined;
  disabledAt: number | undefined;
  now = 1_000_000;
  readonly policies = new Map<string, Policy>();
  readonly sessions = new Map<string, SessionRow>();
  readonly connected = new Set<string>();
  readonly watched = new Set<string>();
  readonly tooMany: number[] = [];
  readonly scheduled: string[] = [];
  /** How many calls were made. */
  calls = 0;
  /** The call of this number is the last: before its effect, or after it. */
  cut: { readonly at: number; readonly after: boolean } | undefined;
  /** Called after each change of a policy. */
  onPolicies: () => void = () => {};

  hold(names: readonly string[], role: Role = 'owner', endsAt?: number): void {
    this.grants = names.map((name) => {
      const target: GrantTarget = { kind: 'thing', name };
      return {
        ...grantKey(PERSON, target),
        ...{ person: PERSON, target: targetKey(target), role, visibleFrom: 0, grantedBy: PERSON, grantedAt: 0 },
        ...(endsAt !== undefined && { endsAt }),
      };
    });
  }

  connect(clientId: string): void {
    this.connected.add(clientId);
    this.sessions.set(clientId, { clientId, connectedAt: this.now });
  }

  get attached(): readonly AttachedPolicy[] {
    return [...this.policies].flatMap(([name, { document, attached }]) => (attached ? [{ name, document }] : []));
  }

  get ports(): Ports {
    const step = <Result>(effect: () => Result): Promise<Result> => this.#step(effect);
    return {
      people: {
        profile: () => step(() => (this.hasProfile ? this.#profile() : undefined)),
        grants: () => step(() => this.grants),
        personOf: () => step(() => (this.hasProfile ? PERSON : undefined)),
        noteReduction: (_person, at) =>
          step(() => {
            this.accessReducedAt = Math.max(at, this.accessReducedAt ?? 0);
          }),
      },
      sessions: {
        all: () => step(() => [...this.sessions.values()]),
        forget: (_identity, { clientId }) => step(() => void this.sessions.delete(clientId)),
      },
      policies: {
        attached: () => step(() => this.attached),
        exists: (name) => step(() => this.policies.has(name)),
        put: async ({ name, document }) => {
          // As it is over the network: first the policy, then its attachment.
          await step(() => {
            this.policies.set(name, { attached: this.policies.get(name)?.attached ?? false, document });
            this.onPolicies();
          });
          await step(() => {
            this.policies.set(name, { document, attached: true });
            this.onPolicies();
          });
        },
        remove: async (name) => {
          await step(() => {
            const policy = this.policies.get(name);
            if (policy) policy.attached = false;
            this.onPolicies();
          });
          await step(() => void this.policies.delete(name));
        },
      },
      connections: { end: (clientId) => step(() => void this.connected.delete(clientId)) },
      watching: {
        watch: (_person, target) => step(() => void this.watched.add(targetKey(target))),
        unwatch: (_person, target) => step(() => void this.watched.delete(targetKey(target))),
      },
      endings: { schedule: ({ target }) => step(() => void this.scheduled.push(targetKey(target))) },
      reports: {
        changed: () => {},
        ended: () => {},
        tooMany: (_person, policies) => void this.tooMany.push(policies),
        failed: () => {},
      },
      partition: 'aws',
      now: () => this.now,
    };
  }

  #profile() {
    const { identityId, accessReducedAt, disabledAt } = this;
    return {
      person: PERSON,
      ...(identityId !== undefined && { identityId }),
      ...(accessReducedAt !== undefined && { accessReducedAt }),
      ...(disabledAt !== undefined && { disabledAt }),
    };
  }

  async #step<Result>(effect: () => Result): Promise<Result> {
    const at = this.calls++;
    if (this.cut?.at === at && !this.cut.after) throw new CutOff();
    const result = effect();
    if (this.cut?.at === at) throw new CutOff();
    return result;
  }
}

/** All records that a change of grants puts on the stream. */
export function changesOf(names: readonly string[]) {
  const targets = names.map((name) => targetOfKey(`thing#${name}`));
  return { person: PERSON, targets, endings: [], identities: [] };
}
