import type { Caller } from '../../../kernel/caller.ts';
import type { Kernel } from '../../../kernel/kernel.ts';

/** How long a session of AssumeRole lasts by default. */
const SESSION_MS = 3_600_000;
/** The longest name of a session. */
const MAX_NAME_LENGTH = 64;

/** Sessions of the roles that rules take, kept as long as they are valid. */
export class RoleSessions {
  readonly #kernel: Kernel;
  readonly #sessions = new Map<string, { readonly caller: Caller; readonly validUntil: number }>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * The caller for a role of a rule. The role's trust policy sees the rule's ARN and account
   * (https://docs.aws.amazon.com/iot/latest/developerguide/cross-service-confused-deputy-prevention.html).
   *
   * @throws AwsError AccessDenied, NoSuchEntity
   */
  get(roleArn: string, ruleName: string, ruleArn: string): Caller {
    const key = `${ruleArn} ${roleArn}`;
    const now = this.#kernel.clock.now();
    const known = this.#sessions.get(key);
    if (known && known.validUntil > now) return known.caller;
    const service = this.#kernel.serviceCaller('iot.amazonaws.com', ruleArn);
    const caller = this.#kernel.iam.assumeRole(roleArn, service, ruleName.slice(0, MAX_NAME_LENGTH));
    this.#sessions.set(key, { caller, validUntil: now + SESSION_MS });
    return caller;
  }
}
