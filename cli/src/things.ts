/** Things and their certificates in the registry of AWS IoT. */
import {
  DescribeCertificateCommand,
  DescribeThingCommand,
  paginateListThingPrincipals,
  paginateListThings,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';

export interface Thing {
  readonly thing: string;
  readonly type: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Certificate {
  readonly certificateId: string;
  readonly arn: string;
  readonly status: string;
  readonly caCertificateId: string | undefined;
  readonly notAfter: string | undefined;
}

/** Calls that run at the same time; the registry allows 10 to 100 per second, by operation. */
const PARALLEL = 8;

export async function listThings({ iot }: Cloud, prefix = ''): Promise<readonly Thing[]> {
  const things: Thing[] = [];
  for await (const page of paginateListThings({ client: iot }, {})) {
    for (const { thingName = '', thingTypeName, attributes = {} } of page.things ?? []) {
      if (thingName.startsWith(prefix)) things.push({ thing: thingName, type: thingTypeName, attributes });
    }
  }
  return things;
}

/** @throws CommandError (not found) with the way to find out why. */
export async function getThing({ iot }: Cloud, thing: string): Promise<Thing> {
  try {
    const { thingTypeName, attributes = {} } = await iot.send(new DescribeThingCommand({ thingName: thing }));
    return { thing, type: thingTypeName, attributes };
  } catch (cause) {
    if (!(cause instanceof ResourceNotFoundException)) throw cause;
    throw new CommandError('notFound', `There is no thing "${thing}".`, {
      causes: [
        'it has not connected yet: a thing is made when its certificate is activated',
        'its certificate is held',
      ],
      next: 'thingstead device list',
      cause,
    });
  }
}

/** The certificates that have a thing's name. */
export async function certificatesOf(cloud: Cloud, thing: string): Promise<readonly Certificate[]> {
  const ids: string[] = [];
  for await (const { principals = [] } of paginateListThingPrincipals({ client: cloud.iot }, { thingName: thing })) {
    ids.push(...principals.flatMap((arn) => arn.split(':cert/')[1] ?? []));
  }
  const found = await Promise.all(ids.map((id) => getCertificate(cloud, id)));
  return found.filter((each) => each !== undefined);
}

/** Undefined when AWS IoT does not know it. */
export async function getCertificate({ iot }: Cloud, certificateId: string): Promise<Certificate | undefined> {
  try {
    const { certificateDescription: found } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return {
      certificateId,
      arn: found?.certificateArn ?? '',
      status: found?.status ?? 'UNKNOWN',
      caCertificateId: found?.caCertificateId,
      notAfter: found?.validity?.notAfter?.toISOString(),
    };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** Maps with a few calls at the same time, in order. */
export async function mapInParallel<In, Out>(
  inputs: readonly In[],
  map: (input: In) => Promise<Out>,
): Promise<readonly Out[]> {
  const outputs: Out[] = [];
  for (let start = 0; start < inputs.length; start += PARALLEL) {
    outputs.push(...(await Promise.all(inputs.slice(start, start + PARALLEL).map(map))));
  }
  return outputs;
}
