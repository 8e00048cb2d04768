#!/usr/bin/env node
// Starts the agent, and an earlier version of it when a new one does not work: docs/agent-install.md.
const { main } = await import('../src/launcher/main.ts');
process.exit(await main(process.argv.slice(2)));
