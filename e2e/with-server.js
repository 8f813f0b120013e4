// Starts the built binary on a free loopback port with a throw-away data directory and certificate authority,
// runs one command with everything it needs in its environment, stops the server, ends as the command ended.
//
//   node with-server.js COMMAND [ARGUMENT…]
//
// The certificate authority has to exist before the command's process does: Node reads NODE_EXTRA_CA_CERTS
// once, at start. That is why the server belongs to this launcher and not to the tests.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const binary = process.env.E2E_BINARY ?? path.join(root, 'target', 'debug', 'portcullis');
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 20_000;

// The issuer carries the port, so it must be known before the server starts.
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function settings(port) {
  return {
    PORTCULLIS_SERVER__PUBLIC_URL: `https://localhost:${port}/`,
    PORTCULLIS_METRICS__LISTEN: '127.0.0.1:0',
    // The suites prove behaviour, not hash strength: the smallest parameters keep them quick.
    PORTCULLIS_ARGON2__MEMORY_KIB: '64',
    PORTCULLIS_ARGON2__PASSES: '1',
    // Receivers of log streams are on this machine.
    PORTCULLIS_OUTGOING__ALLOW_PRIVATE: 'true',
    // On a slow machine the deploy CLI compiles for longer than the usual twenty seconds, and comes back to a connection.
    PORTCULLIS_SERVER__HEADER_TIMEOUT_SECONDS: '90',
  };
}

// Before `serve`: SQLite belongs to one process at a time.
function createAdministrator(dataDir, environment) {
  const run = spawnSync(binary, ['admin', 'create-client', '--name', 'e2e', '--json', '--data-dir', dataDir], {
    env: environment,
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    throw new Error(`portcullis admin create-client ended with ${run.status}\n${run.error ?? ''}${run.stderr ?? ''}`);
  }
  return JSON.parse(run.stdout);
}

function serve(dataDir, port, environment) {
  const server = spawn(
    binary,
    ['serve', '--tls-dev', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`],
    { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const ended = new Promise((resolve) => server.once('close', (code, signal) => resolve(signal ?? code)));
  const ready = new Promise((resolve, reject) => {
    const refuse = (why) => reject(new Error(`${why}\n${output}`));
    const deadline = setTimeout(() => refuse('portcullis did not say "listening on" in time'), READY_WITHIN_MS);
    const read = (chunk) => {
      output += chunk;
      if (output.includes('listening on')) {
        clearTimeout(deadline);
        resolve();
      }
    };
    server.stdout.setEncoding('utf8').on('data', read);
    server.stderr.setEncoding('utf8').on('data', read);
    server.once('error', (error) => refuse(error.message));
    ended.then((how) => refuse(`portcullis ended with ${how} before it was ready`));
  });
  return { process: server, ready, ended, output: () => output };
}

async function stop(server) {
  server.process.kill('SIGTERM');
  const deadline = setTimeout(() => server.process.kill('SIGKILL'), STOPPED_WITHIN_MS);
  const how = await server.ended;
  clearTimeout(deadline);
  return how;
}

function run(command, environment) {
  const [program, ...rest] = command;
  const child = spawn(program, rest, { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  // Told to end, it ends the command, and then the server and the directory as always.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
}

async function main(command) {
  if (command.length === 0) {
    throw new Error('usage: node with-server.js COMMAND [ARGUMENT…]');
  }
  const dataDir = mkdtempSync(path.join(tmpdir(), 'portcullis-e2e-'));
  try {
    const port = await freePort();
    const environment = { ...process.env, ...settings(port) };
    const administrator = createAdministrator(dataDir, environment);
    const server = serve(dataDir, port, environment);
    try {
      await server.ready;
      const ca = path.join(dataDir, 'dev-ca', 'ca.pem');
      const result = await run(command, {
        ...process.env,
        NODE_EXTRA_CA_CERTS: ca,
        REQUESTS_CA_BUNDLE: ca,
        SSL_CERT_FILE: ca,
        E2E_DOMAIN: administrator.domain,
        E2E_CLIENT_ID: administrator.client_id,
        E2E_CLIENT_SECRET: administrator.client_secret,
        E2E_AUDIENCE: administrator.audience,
      });
      if (result !== 0) {
        console.error(`--- the server's own output ---\n${server.output().slice(-20_000)}`);
      }
      return result === 0 ? 0 : 1;
    } finally {
      const how = await stop(server);
      if (how !== 0) {
        throw new Error(`portcullis did not drain on SIGTERM: it ended with ${how}\n${server.output().slice(-20_000)}`);
      }
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
