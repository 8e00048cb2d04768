/**
 * Loaded into the local runtime's process: notes the secrets that it makes, and what it puts out where others read it.
 * The runtime knows nothing of this.
 */
import { randomBytes } from 'node:crypto';
import diagnostics from 'node:diagnostics_channel';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerResponse } from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';
import { CredentialStore } from '../../../local/src/iam/credential-store.ts';
import { Kernel } from '../../../local/src/kernel/kernel.ts';
import { Outbox } from '../../../local/src/kernel/outbox.ts';
import { Keys } from '../../../local/src/services/kms/keys.ts';
import { noteOutput, noteSecret } from './notes.ts';

const CLIENT_OR_SERVER_ERROR = 400;

/** Wraps the places where secrets are made and where something leaves the runtime. */
export function noteRuntime(): void {
  noteCredentials();
  noteKmsKeys();
  noteFunctionEnvironments();
  notePresignedAddresses();
  noteErrorAnswers();
  noteCalls();
  const add = Outbox.prototype.add;
  Outbox.prototype.add = function addAndNote(message) {
    // Of the details, the token of a push is the address that it is sent to.
    noteOutput(`outbox, ${message.channel}`, JSON.stringify({ ...message, details: {} }));
    return add.call(this, message);
  };
}

function noteCredentials(): void {
  const { issue, addLongTerm } = CredentialStore.prototype;
  CredentialStore.prototype.issue = function issueAndNote(caller, durationSeconds) {
    const credentials = issue.call(this, caller, durationSeconds);
    noteSecret('secret key of a session', credentials.secretAccessKey);
    noteSecret('session token', credentials.sessionToken);
    return credentials;
  };
  CredentialStore.prototype.addLongTerm = function addAndNote(caller, accessKeyId, secretAccessKey) {
    noteSecret('secret access key of a user', secretAccessKey);
    addLongTerm.call(this, caller, accessKeyId, secretAccessKey);
  };
}

function noteKmsKeys(): void {
  const create = Keys.prototype.create;
  Keys.prototype.create = function createAndNote(...args) {
    const key = create.apply(this, args);
    // The private keys of pairs are noted where they are generated.
    if (['ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC'].includes(key.spec.usage))
      noteSecret('material of a KMS key', key.secret);
    return key;
  };
}

/** Every function gets one more variable, with a secret that it has no use for. */
function noteFunctionEnvironments(): void {
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    constructor(script: string | URL, options: workerThreads.WorkerOptions = {}) {
      const canary = randomBytes(24).toString('base64');
      noteSecret('environment variable of a function', canary);
      super(script, { ...options, env: { ...Object(options.env), CANARY_SECRET: canary } });
    }
  };
  syncBuiltinESMExports();
}

function notePresignedAddresses(): void {
  diagnostics.subscribe('http.server.request.start', (message) => {
    const { request } = message as { readonly request: IncomingMessage };
    const signature = /[?&]X-Amz-Signature=([0-9a-f]{64})/i.exec(request.url ?? '')?.[1];
    if (signature) noteSecret('signature of a presigned address', signature);
  });
}

function noteErrorAnswers(): void {
  for (const prototype of [ServerResponse.prototype, Http2ServerResponse.prototype]) {
    const end = prototype.end as (...args: unknown[]) => unknown;
    Object.assign(prototype, {
      end(this: ServerResponse, ...args: unknown[]) {
        const [body] = args;
        if (this.statusCode >= CLIENT_OR_SERVER_ERROR) {
          noteOutput('error answer, headers', JSON.stringify(this.getHeaders()));
          if (body instanceof Uint8Array || typeof body === 'string') noteOutput('error answer', body);
        }
        return end.apply(this, args);
      },
    });
  }
}

/** Everything that a client or a service of the runtime asks for comes through the dispatch. */
function noteCalls(): void {
  const call = Kernel.prototype.call;
  Kernel.prototype.call = async function callAndNote<Output>(this: Kernel, ...args: Parameters<Kernel['call']>) {
    const [service, operation, input] = args;
    noteGiven(service, operation, Object(input));
    const place = PUT_OUT[`${service}:${operation}`];
    if (place) noteOutput(place, JSON.stringify(input));
    try {
      const output = await call.apply(this, args);
      noteResult(service, operation, Object(output));
      return output as Output;
    } catch (error) {
      if (error instanceof Error)
        noteOutput(`error of ${service}:${operation}`, `${error.message} ${JSON.stringify(error)}`);
      throw error;
    }
  };
}

const PUT_OUT: Readonly<Record<string, string>> = {
  'logs:PutLogEvents': 'log of a function',
  'sqs:SendMessage': 'message in a queue',
  'sqs:SendMessageBatch': 'message in a queue',
  'sns:Publish': 'notification',
  'events:PutEvents': 'event',
};

/** Secrets that the account is given to keep. */
function noteGiven(service: string, operation: string, input: Readonly<Record<string, unknown>>): void {
  if (service !== 'sns') return;
  const { PlatformCredential, PlatformPrincipal, Token } = Object(input.Attributes);
  for (const each of [PlatformCredential, PlatformPrincipal])
    if (typeof each === 'string') noteSecret('credential of a push platform', each);
  for (const each of [Token, operation === 'CreatePlatformEndpoint' ? input.Token : undefined])
    if (typeof each === 'string') noteSecret('push token', each);
}

function noteResult(service: string, operation: string, output: Readonly<Record<string, unknown>>): void {
  if (service === 'kms' && /^Generate(DataKey|Random)/.test(operation)) {
    for (const plain of [output.Plaintext, output.PrivateKeyPlaintext])
      if (plain instanceof Uint8Array) noteSecret('plaintext data key', plain);
  }
  const { Payload } = output;
  if (service === 'lambda' && output.FunctionError !== undefined && Payload !== undefined)
    noteOutput('error document of a function', Payload instanceof Uint8Array ? Payload : JSON.stringify(Payload));
}
