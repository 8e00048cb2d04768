import { createHash } from 'node:crypto';
import type { FirmwareAnswer, FirmwareRejection } from '@thingstead/contracts/firmware';
import { imageKey, type ReleaseRow } from '@thingstead/contracts/firmware-store';
import type { FirmwareDeviceRow } from '@thingstead/contracts/rollout-store';
import type { GrantPorts } from './ports.ts';

/** https://docs.aws.amazon.com/general/latest/gr/iot-core.html: a message has 128 KB. A device that lacks more gets the rest next time. */
const MAX_TRUST_DOCUMENTS = 10;

export interface AskedGrant {
  readonly thing: string;
  readonly attempt: string;
  readonly nonce: string;
}

export type Granted =
  | { readonly ok: true; readonly answer: Extract<FirmwareAnswer, { type: 'grant' }>; readonly counter: number }
  | { readonly ok: false; readonly no: Omit<FirmwareRejection, 'type'> };

/**
 * Lets a device fetch an image. INVARIANTS:
 * - only for the attempt that is in force for the thing of the topic, while its rollout goes on and its release is not yanked;
 * - the answer is of use to this thing, for this attempt and this request, until the URL ends, and to nobody else;
 * - nothing is stored: asked again, it is decided again.
 */
export async function grant(asked: AskedGrant, ports: GrantPorts): Promise<Granted> {
  const { devices, rollouts, releases, trust, assigner, images, now } = ports;
  const { thing, attempt, nonce } = asked;
  const device = await devices.read(thing);
  const offer = device && offerIn(device, attempt);
  if (!offer) return no('unknown-attempt', `attempt ${attempt} is not in force for ${thing}`);
  const { product, counter } = offer;
  const [rollout, release] = await Promise.all([
    offer.rollout === undefined ? undefined : rollouts.read(offer.rollout),
    releases.read(product, counter),
  ]);
  if (rollout?.state === 'ABORTED') return no('wrong-state', 'the rollout was aborted');
  const problem = problemWith(release, now());
  if (problem) return problem;
  if (rollout?.state === 'PAUSED') return no('paused', 'the rollout is paused', true);
  // problemWith has seen both.
  if (!release?.image) throw new Error(`release ${counter} of ${product} is PUBLISHED and has no image`);

  const { url, expiresAt } = await images.downloadUrl(imageKey(product, counter), release.image);
  const manifestSha256 = createHash('sha256').update(Buffer.from(release.release.document, 'base64')).digest('hex');
  const [assignment, documents] = await Promise.all([
    assigner.sign({ type: 'assignment', thing, attempt, nonce, product, counter, manifestSha256, expiresAt }),
    // A device that never said which it has has the first, with which it was installed.
    trust.after(device.running?.trustVersion ?? 1, MAX_TRUST_DOCUMENTS),
  ]);
  return {
    ok: true,
    counter,
    answer: {
      type: 'grant',
      ...{ assignment, release: release.release, trust: documents.map(({ document }) => document) },
      ...{ url, etag: release.image.etag, expiresAt },
    },
  };
}

interface Offer {
  readonly product: string;
  readonly counter: number;
  readonly rollout: string | undefined;
}

/** What this attempt was offered, if it is in force. */
function offerIn(row: FirmwareDeviceRow, attempt: string): Offer | undefined {
  const { state, product, counter, rollout } = row;
  if (row.attempt !== attempt || state === undefined || state === 'ENDED') return undefined;
  return product === undefined || counter === undefined ? undefined : { product, counter, rollout };
}

function problemWith(release: ReleaseRow | undefined, now: number): Granted | undefined {
  if (!release || release.state === 'PUBLISHING') return no('wrong-state', 'the release is not there');
  if (release.state === 'YANKED') return no('yanked', `the release was withdrawn: ${release.reason}`);
  if (release.manifest.expiresAt <= now) return no('expired', 'the release has expired');
  return undefined;
}

function no(code: FirmwareRejection['code'], reason: string, retry = false): Granted {
  return { ok: false, no: { code, reason, retry } };
}
