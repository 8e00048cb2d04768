import type { Caller } from '../../kernel/caller.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Api, Stage } from './types.ts';

/** The address of the account's first HTTP API, with the path of its first stage; null without one. */
export async function firstApiUrl(kernel: Kernel): Promise<string | null> {
  const caller: Caller = { kind: 'deployment', arn: 'local-runtime', accountId: kernel.accountId };
  const list = async <Item>(operation: string, input: unknown) =>
    (await kernel.call<{ readonly items: readonly Item[] }>('apigatewayv2', operation, input, caller)).items;
  const [api] = await list<Api>('GetApis', {});
  if (!api) return null;
  const stages = await list<Stage>('GetStages', { ApiId: api.apiId });
  const first = stages.find(({ stageName }) => stageName === '$default') ?? stages[0];
  return !first || first.stageName === '$default' ? api.apiEndpoint : `${api.apiEndpoint}/${first.stageName}`;
}
