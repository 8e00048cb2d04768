/**
 * A peer: the same MQTT library over mutual TLS that answers CONNECT and PUBLISH and does nothing else. What the
 * runtime costs above it is sessions, policies, rules and stores.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { parser as createParser, generate } from 'mqtt-packet';

const [port = '', key = '', cert = '', ca = ''] = process.argv.slice(2);
const connack = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });

const server = createServer(
  {
    key: readFileSync(key),
    cert: readFileSync(cert),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (socket) => {
    const parser = createParser();
    let answers: Buffer[] = [];
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') answers.push(connack);
      if (packet.cmd === 'publish') answers.push(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      parser.parse(chunk);
      if (answers.length === 0) return;
      socket.write(Buffer.concat(answers));
      answers = [];
    });
    socket.on('error', () => socket.destroy());
  },
);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => process.send?.('listening'));
process.on('message', () => {
  globalThis.gc?.();
  process.send?.('collected');
});
process.on('disconnect', () => process.exit(0));
