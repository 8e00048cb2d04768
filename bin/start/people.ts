/** The people of the demo: an owner of the site to which the demo devices belong, and an operator who has made them so. */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { endpointsFile, run, say, state } from './processes.ts';

const OWNER = 'mary@example.com';
const OPERATOR = 'operator@example.com';
const SITE = 'macdonald';
/** Of four letters each. */
const GROUPS = 4;
const LETTERS = 'abcdefghijkmnpqrstuvwxyz';

const signIns = path.join(state, 'demo-sign-ins');

/** What to try as a person. */
export const peopleNext = [
  `npx thingstead --local things --as ${OWNER}`,
  `npx thingstead --local files put macdonald-barn1 README.md --as ${OWNER} --wait`,
];

export interface People {
  /** Names of the things that the owner of the site gets to see. */
  ownThings(): Promise<readonly string[]>;
}

/**
 * Makes the people of the demo, and gives the site to its owner. The password is printed, once: it is good on this machine alone, for
 * accounts that nobody else has.
 */
export async function startPeople(): Promise<People> {
  const password = newPassword();
  const create = (email: string, ...more: readonly string[]) =>
    thingstead(password, 'user', 'create', email, '--set-password', ...more);
  await Promise.all([create(OWNER), create(OPERATOR, '--group', 'operator')]);
  await thingstead(password, 'site', 'give', SITE, '--to', OWNER, '--as', OPERATOR);
  rmSync(signIns, { recursive: true, force: true });
  say(`  ${styleText('bold', 'People')}     ${OWNER} owns the site ${SITE}; ${OPERATOR} is an operator`);
  say(`             password of both: ${password}`);
  return {
    async ownThings() {
      const lines = await thingstead(password, '--json', 'things', '--as', OWNER);
      rmSync(signIns, { recursive: true, force: true });
      return lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).thing);
    },
  };
}

/** Runs the operator's command. Its sign-ins do not go among those of the person who runs the demo. */
function thingstead(password: string, ...args: readonly string[]): Promise<string> {
  return run('cli/bin/thingstead.mjs', [...args, '--endpoints', endpointsFile], {
    THINGSTEAD_PASSWORD: password,
    XDG_CONFIG_HOME: signIns,
  });
}

/** As the user pool wants them: letters of both kinds, a digit and a sign; some 70 bits. */
function newPassword(): string {
  const letter = (): string => LETTERS[randomInt(LETTERS.length)] ?? '';
  const groups = Array.from({ length: GROUPS }, () => Array.from({ length: 4 }, letter).join(''));
  return `M${groups.join('-')}${randomInt(10)}`;
}
