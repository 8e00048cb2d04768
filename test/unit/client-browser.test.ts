/** The client as a page gets it: bundled for browsers, and run where there is nothing of Node. */
import path from 'node:path';
import vm from 'node:vm';
import { build } from 'esbuild';

const root = path.resolve(__dirname, '../..');

it('is made of what browsers have', async () => {
  const { outputFiles } = await build({
    stdin: { contents: "export { createClient } from '@thingstead/client';", resolveDir: root },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'thingstead',
    write: false,
  });
  const requests: unknown[] = [];
  const answer = new Response(JSON.stringify({ person: 'p1', groups: [] }), { status: 200 });
  const page = {
    ...{ AbortSignal, Headers, TextEncoder, URLSearchParams, setTimeout, clearTimeout },
    fetch: async (...request: unknown[]) => {
      requests.push(request);
      return answer;
    },
  };

  const script = `${outputFiles[0]?.text}
    thingstead.createClient({ baseUrl: 'https://api.example.com/', token: async () => 't' }).getMe();`;
  const me = await vm.runInNewContext(script, page);

  expect({ ...me }).toMatchObject({ person: 'p1' });
  expect(requests).toEqual([['https://api.example.com/me', expect.objectContaining({ method: 'GET' })]]);
});
