import { type Client, createClient } from '@thingstead/client';
import {
  createSession,
  type Session,
  SignInError,
  type Tokens,
  type UserPool,
  userPool,
} from '@thingstead/client/people';
import { ask, askPassword } from './ask.ts';
import type { Deployment } from './deployment.ts';
import type { Output } from './output.ts';
import { type TokenFile, tokenFile } from './token-file.ts';

/** The REST API for a person: with the sign-in of an earlier command while it lasts, else with their password. */
export function signedInAs(email: string, deployment: Deployment, output: Output): Client {
  const pool = userPool(deployment);
  const file = tokenFile(deployment.userPoolId, email);
  let session: Promise<Session> | undefined;

  const begin = async (): Promise<Session> =>
    lasting(pool, file.read() ?? (await signIn(pool, file, email, output)), file);

  return createClient({
    baseUrl: deployment.apiUrl,
    token: async (rejected) => {
      session ??= begin();
      try {
        return await (await session).accessToken(rejected);
      } catch (error) {
        // The sign-in is over, or the account has another password since.
        if (!(error instanceof SignInError) || error.code !== 'NotAuthorizedException' || !file.read()) throw error;
        file.remove();
        session = begin();
        return (await session).accessToken();
      }
    },
  });
}

function lasting(pool: UserPool, tokens: Tokens, file: TokenFile): Session {
  return createSession({ pool, tokens, changed: (next) => file.write(next) });
}

async function signIn(pool: UserPool, file: TokenFile, email: string, output: Output): Promise<Tokens> {
  const tokens = await pool.signIn({
    email,
    password: await askPassword(`Password of ${email}`),
    code: () => ask('Code of your authenticator app'),
    newPassword: () => ask('A new password, since this one was given to you', { secret: true }),
  });
  file.write(tokens);
  output.say(`Signed in as ${email}; "thingstead sign-out --as ${email}" ends it.`);
  return tokens;
}

/** Ends the sign-in that an earlier command has left. False when there is none. */
export async function signOut(email: string, deployment: Deployment): Promise<boolean> {
  const file = tokenFile(deployment.userPoolId, email);
  const tokens = file.read();
  if (!tokens) return false;
  await userPool(deployment).signOut(tokens);
  file.remove();
  return true;
}
