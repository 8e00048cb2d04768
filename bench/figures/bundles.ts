import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { REGISTRATION_ENVIRONMENT, TELEMETRY_ENVIRONMENT } from '@thingstead/contracts/environment';
import { buildSync } from 'esbuild';
import { platformAssembly, temporaryPath } from '../support/assembly.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { root } from '../support/process.ts';

const ROUNDS = 21;

/** The SDK clients that each function makes; its peer makes the same and does nothing with them. */
const FUNCTIONS = [
  {
    name: 'registration',
    clients: {
      '@aws-sdk/client-dynamodb': 'DynamoDBClient',
      '@aws-sdk/client-iot': 'IoTClient',
    },
    documents: true,
  },
  {
    name: 'telemetry',
    clients: {
      '@aws-sdk/client-dynamodb': 'DynamoDBClient',
      '@aws-sdk/client-sqs': 'SQSClient',
    },
    documents: true,
  },
] as const;
