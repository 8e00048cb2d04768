import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** Loaded before the program. URLs that it gets from others are signed, and stay as they are. */
const PRELOAD = `
import { Socket } from 'node:net';
const [from, to] = process.env.THROUGH_PROXY.split(':').map(Number);
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof options === 'object' && Number(options.port) === from) options.port = to;
  return Reflect.apply(connect, this, args);
};
`;

/** The environment of a process whose TCP connections to one port go to another. `folder` takes a file for that. */
export function throughProxy(
  folder: string,
  { from, to }: { readonly from: number; readonly to: number },
  nodeOptions = '',
): { readonly NODE_OPTIONS: string; readonly THROUGH_PROXY: string } {
  const preload = path.join(folder, 'through-proxy.mjs');
  writeFileSync(preload, PRELOAD);
  return { NODE_OPTIONS: `${nodeOptions} --import ${preload}`, THROUGH_PROXY: `${from}:${to}` };
}
