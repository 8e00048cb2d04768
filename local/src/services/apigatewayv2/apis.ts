import type { KeptState } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { notFound } from './errors.ts';
import type { Configuration, Stage, StoredApi } from './types.ts';

/** The HTTP APIs of the account, in the order in which they were made. */
export class Apis {
  readonly kernel: Kernel;
  readonly #host: string;
  readonly #firstPort: number;
  readonly #apis = new Map<string, StoredApi>();

  /** The first API listens on `firstPort`, each further one on the next free port after it. */
  constructor(kernel: Kernel, host: string, firstPort: number) {
    this.kernel = kernel;
    this.#host = host;
    this.#firstPort = firstPort;
  }

  get all(): readonly StoredApi[] {
    return [...this.#apis.values()];
  }

  get state(): KeptState {
    const apis = this.#apis;
    return {
      *save() {
        for (const [at, api] of [...apis.values()].entries()) {
          yield [`api/${String(at).padStart(4, '0')}`, api];
        }
      },
      restore(records) {
        for (const api of records.all<StoredApi>('api/')) apis.set(api.definition.apiId, api);
      },
    };
  }

  find(apiId: string | undefined): StoredApi | undefined {
    return this.#apis.get(apiId ?? '');
  }

  /** @throws AwsError NotFoundException */
  get(apiId: string | undefined): StoredApi {
    const api = this.find(apiId);
    if (!api) throw notFound('API', apiId);
    return api;
  }

  add(api: StoredApi): void {
    this.#apis.set(api.definition.apiId, api);
  }

  remove(apiId: string): void {
    this.#apis.delete(apiId);
  }

  /** A port that no other API has, and the address with it. */
  nextEndpoint(): { readonly port: number; readonly apiEndpoint: string } {
    const taken = new Set(this.all.map(({ port }) => port));
    let port = this.#firstPort;
    while (taken.has(port)) port += 1;
    return { port, apiEndpoint: `http://${this.#host}:${port}` };
  }
}

/** What a stage serves; undefined for one that nothing was deployed to. */
export function configurationOf(api: StoredApi, stage: Stage): Configuration | undefined {
  if (stage.autoDeploy) return api;
  return api.deployments.get(stage.deploymentId ?? '');
}
