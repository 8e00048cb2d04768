/** What the agent reads of its shadow: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html */
import * as v from 'valibot';

const Members = v.nullish(v.record(v.string(), v.unknown()), {});
const Version = v.pipe(v.number(), v.safeInteger());

/** `get/accepted`: all of it. */
export const ShadowDocument = v.object({
  version: Version,
  state: v.object({ desired: Members, reported: Members }),
});

/** `update/delta`: the members, and members of members, of `desired` that `reported` says otherwise. */
export const ShadowDelta = v.object({ version: Version, state: v.record(v.string(), v.unknown()) });

/** `get/rejected` */
export const ShadowRejection = v.object({ code: v.number(), message: v.optional(v.string(), '') });
