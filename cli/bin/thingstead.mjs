#!/usr/bin/env node
import module from 'node:module';

// Plain JavaScript, so that an older Node.js reads it and can say what is missing.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `thingstead needs Node.js 22.18 or newer; this is ${process.versions.node}. In a checkout, "npx thingstead" uses the right one.\n`,
  );
  process.exit(1);
}
// The AWS SDK is most of the start-up time; compiled code is kept between runs.
module.enableCompileCache();
const { main } = await import('../src/main.ts');
process.exitCode = await main(process.argv.slice(2));
