#!/usr/bin/env node
// Plain JavaScript, so that an older Node.js reads it and can say what is missing.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`thingstead-agent needs Node.js 22.18 or newer; this is ${process.versions.node}.\n`);
  process.exit(78);
}
// Without a listener Node.js opens a debugger on this signal, with which a button asks the agent for a pairing code.
process.on('SIGUSR1', () => {});
const { main } = await import('../src/main.ts');
// The SDK's native part would keep the process alive until the garbage collector has found the last client.
process.exit(await main(process.argv.slice(2)));
