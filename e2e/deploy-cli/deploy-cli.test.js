// npm `auth0-deploy-cli`, unchanged: a tenant file goes in, its login works, the export says the same, and importing the
// export changes nothing. The export is of everything the tool knows, so it also asks for what this server does not have.
//
// It has a server of its own, since a tenant file is about the whole tenant. Most of its time is the tool's: it spends
// seconds on compiling its schemas, twice in each import, and asks at most eight times a second.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import yaml from 'js-yaml';
import {
  administrator,
  authentication,
  createUser,
  domain,
  management,
  managementAudience,
  newestEvent,
  PASSWORD,
  WRONG_PASSWORD,
} from '../node/tenant.js';

const OWNER = '203.0.113.50';
const ATTACKER = '198.51.100.50';
const COLLEAGUE = '192.0.2.50'; // on the imported allowlist

const here = path.dirname(fileURLToPath(import.meta.url));
const tool = path.join(here, '..', 'node_modules', 'auth0-deploy-cli', 'lib', 'index.js');
const tenantFile = path.join(here, 'tenant.yaml');
const exports = mkdtempSync(path.join(tmpdir(), 'portcullis-deploy-cli-'));
const exported = (...parts) => path.join(exports, ...parts);
after(() => rmSync(exports, { recursive: true, force: true }));

async function deployCli(...command) {
  const env = {
    PATH: process.env.PATH,
    NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
    AUTH0_DOMAIN: domain,
    AUTH0_CLIENT_ID: administrator.clientId,
    AUTH0_CLIENT_SECRET: administrator.clientSecret,
    AUTH0_AUDIENCE: managementAudience,
    // The tool never exports these.
    AUTH0_KEYWORD_REPLACE_MAPPINGS: JSON.stringify({
      SMTP_USER: 'shop',
      SMTP_PASS: 'correct horse',
      SIEM_TOKEN: 'Bearer 4711',
    }),
  };
  try {
    return (await promisify(execFile)(process.execPath, [tool, ...command], { env })).stdout;
  } catch (error) {
    throw new Error(`a0deploy ${command.join(' ')} ended with ${error.code}\n${error.stdout}${error.stderr}`);
  }
}

const read = (file) => yaml.load(readFileSync(file, 'utf8'));

// Everything the file says is in the export; members that the file leaves to the server may be there besides, but no
// further item of a list. Lists of things are matched by what names them.
function assertSays(actual, expected, place) {
  if (expected === null || typeof expected !== 'object') {
    assert.equal(actual, expected, place);
  } else if (!Array.isArray(expected)) {
    for (const [name, value] of Object.entries(expected)) assertSays(actual?.[name], value, `${place}.${name}`);
  } else {
    const name = (item) => item?.name ?? item?.value ?? item?.audience ?? item?.template ?? item;
    assert.deepEqual(actual.map(name).sort(), expected.map(name).sort(), place);
    for (const item of expected) {
      assertSays(actual.find((each) => name(each) === name(item)), item, `${place}.${name(item)}`);
    }
  }
}

// What the Management API says of the tenant, whole.
async function tenantAsItIs() {
  const { clients, connections, resourceServers, clientGrants, tenants, attackProtection } = management;
  const directories = (await connections.list()).data;
  return {
    clients: (await clients.list()).data,
    directories,
    enabled: await Promise.all(directories.map(async ({ id }) => (await connections.clients.get(id)).data)),
    apis: (await resourceServers.list()).data,
    grants: (await clientGrants.list()).data,
    settings: await tenants.settings.get(),
    bruteForce: await attackProtection.bruteForceProtection.get(),
    suspiciousIp: await attackProtection.suspiciousIpThrottling.get(),
    provider: await management.emails.provider.get(),
    streams: await management.logStreams.list(),
    templates: await Promise.all(file.emailTemplates.map(({ template }) => management.emailTemplates.get(template))),
  };
}

async function eventsSince(start) {
  const page = await management.logs.list({ per_page: 100, sort: 'date:-1' });
  return page.data.filter((event) => !start || event.log_id > start.log_id);
}

async function application(name) {
  return (await management.clients.list()).data.find((client) => client.name === name);
}

const file = read(tenantFile);

test('imports a tenant file', async () => {
  await deployCli('import', `--input_file=${tenantFile}`);
  const backend = await application('Shop backend');
  assert.equal(backend.token_endpoint_auth_method, 'client_secret_post');
  assert.equal(backend.is_token_endpoint_ip_header_trusted, true);
  assert.equal((await management.emails.provider.get()).credentials.smtp_user, 'shop');
  const [stream] = await management.logStreams.list();
  assert.deepEqual([stream.name, stream.sink.httpAuthorization], ['SIEM', 'Bearer 4711']);
  const template = await management.emailTemplates.get('blocked_account');
  assert.match(template.body, /\{\{ user\.source_ip \}\}/);
});

test('the imported application logs a user in, and the imported shields protect the login', async () => {
  const user = await createUser({ name: 'Customers' }, 'customer');
  const login = authentication(await application('Shop backend'));
  const from = (address, password = PASSWORD) =>
    login.oauth.passwordGrant(
      { username: user.email, password, audience: file.resourceServers[0].identifier, scope: 'openid read:orders' },
      { initOverrides: { headers: { 'auth0-forwarded-for': address } } },
    );
  const { data } = await from(OWNER);
  assert.equal(data.expires_in, 3600);
  assert.equal((await newestEvent('sepft', user.email)).ip, OWNER);

  for (const address of [ATTACKER, COLLEAGUE]) {
    for (let guess = 1; guess <= 5; guess += 1) {
      await assert.rejects(from(address, WRONG_PASSWORD), { statusCode: 403 });
    }
  }
  await assert.rejects(from(ATTACKER), { statusCode: 429, error: 'too_many_attempts' });
  assert.ok((await from(COLLEAGUE)).data.access_token);

  const robot = authentication(await application('Stock robot'));
  const token = await robot.oauth.clientCredentialsGrant({ audience: file.resourceServers[0].identifier });
  assert.equal(token.data.scope, 'read:orders');
});

test('exports the same, as one file and as a directory', async () => {
  await Promise.all([
    deployCli('export', '--format=yaml', `--output_folder=${exported('yaml')}`),
    deployCli('export', '--format=directory', `--output_folder=${exported('directory')}`),
  ]);
  const whole = read(exported('yaml', 'tenant.yaml'));
  const clients = whole.clients.filter((client) => client.name !== 'e2e');
  assert.equal(clients.length, whole.clients.length - 1, 'the administrator is there as well');
  // The tool writes a placeholder of its own for the secret.
  const expected = structuredClone(file);
  for (const { sink } of expected.logStreams) delete sink.httpAuthorization;
  assertSays({ ...whole, clients }, expected, 'tenant.yaml');
  assert.ok(!readFileSync(exported('yaml', 'tenant.yaml'), 'utf8').includes('4711'));

  const backend = JSON.parse(readFileSync(exported('directory', 'clients', 'Shop backend.json'), 'utf8'));
  assert.deepEqual(backend, whole.clients.find((client) => client.name === backend.name));
  const directory = exported('directory', 'database-connections', 'Customers', 'database.json');
  assert.deepEqual(JSON.parse(readFileSync(directory, 'utf8')), whole.databases[0]);
});

test('importing the export changes nothing', async () => {
  const before = await tenantAsItIs();
  const [newest] = await eventsSince();
  await deployCli('import', `--input_file=${exported('yaml', 'tenant.yaml')}`);
  assert.deepEqual(await tenantAsItIs(), before);

  // The tool writes everything again, as it is: nothing is made, nothing is deleted.
  const written = (await eventsSince(newest)).filter((event) => event.type === 'sapi');
  assert.ok(written.length > 0);
  for (const { details, description } of written) assert.equal(details.request.method, 'patch', description);
});
