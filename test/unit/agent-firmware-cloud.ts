/** The cloud that updates the devices of agent-firmware-processes.ts, over HTTP. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { UpdateState } from '@thingstead/contracts/firmware';
import type { Status } from '../../device/src/firmware/firmware-cloud.ts';
import { desiredOf, grantOf, type Release } from './agent-firmware-world.ts';

export type Version = Omit<Release, 'behaviour'>;

export interface Heard {
  readonly attempt: string;
  readonly state: UpdateState;
  /** Of the program that spoke. */
  readonly by: number;
  readonly status: Status;
}

const ENDS: readonly UpdateState[] = ['COMMITTED', 'ROLLED_BACK', 'FAILED'];

export class UpdatingCloud {
  readonly heard: Heard[] = [];
  /** What has come, in order: `ask`, `image`, and the states that were told. */
  readonly requests: string[] = [];
  desired: Version | undefined;
  /** Told of everything that comes, before it is answered. */
  readonly #changed: () => void;
  readonly #server: Server;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#server = createServer(async (request, response) => {
      const { desired } = this;
      const name = request.url?.slice(1) ?? '';
      if (name === 'image') {
        this.#came(name);
        const content = desired?.content ?? Buffer.alloc(0);
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const range = from && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
        response.writeHead(from ? 206 : 200, { etag: '"image"', ...range }).end(content.subarray(from));
        return;
      }
      // A device that is killed while it speaks was not heard.
      const body = await text(request).then(JSON.parse, () => undefined);
      if (body) response.end(JSON.stringify(this.#answer(name, body)));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** How the update has ended, as often as that was said. */
  endOf({ attempt }: Pick<Version, 'attempt'>): readonly Heard[] {
    return this.heard.filter((each) => each.attempt === attempt && ENDS.includes(each.state));
  }

  #answer(name: string, body: { attempt: string; nonce: string; status: Status; by: number }): unknown {
    const { desired } = this;
    if (name === 'desired') return { desired: desired && desiredOf(desired) };
    if (name === 'ask') {
      this.#came(name);
      return desired && grantOf(desired, body.nonce, `${this.url}/image`, Date.now());
    }
    const { attempt, status, by } = body;
    this.heard.push({ attempt, status, by, state: status.state });
    this.#came(status.state);
    return {};
  }

  #came(name: string): void {
    this.requests.push(name);
    this.#changed();
  }
}
