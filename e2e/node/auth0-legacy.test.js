// npm `auth0/legacy`, unchanged: the classic Authentication and Management clients that the package still carries.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AuthApiError, AuthenticationClient, ManagementApiError, ManagementClient, UserInfoClient } from 'auth0/legacy';
import {
  administrator,
  BLOCKED,
  createApi,
  createApplication,
  createDirectory,
  createUser,
  domain,
  managementAudience,
  PASSWORD,
  PASSWORD_GRANTS,
  WRONG_PASSWORD,
} from './tenant.js';

const OWNER = '203.0.113.30';
const ATTACKER = '198.51.100.30';

const management = new ManagementClient({ domain, ...administrator });
let api, connection, application, login;

before(async () => {
  api = await createApi('auth0-legacy');
  application = await createApplication('auth0 legacy', { trusted: true });
  connection = await createDirectory('auth0-legacy', [application]);
  login = client(application);
});

function client({ client_id, client_secret }) {
  return new AuthenticationClient({ domain, clientId: client_id, clientSecret: client_secret });
}

function from(address) {
  return { initOverrides: { headers: { 'auth0-forwarded-for': address } } };
}

function credentials(user, password = PASSWORD) {
  return { username: user.email, password, audience: api.identifier, scope: 'openid read:orders' };
}

async function newestEvent(type, userName) {
  const { data } = await management.logs.getAll({ per_page: 100, sort: 'date:-1' });
  return data.find((event) => event.type === type && event.user_name === userName);
}

describe('Authentication client', () => {
  test('logs a user in for the end user’s address, by realm too', async () => {
    const user = await createUser(connection, 'header');
    const { status, data } = await login.oauth.passwordGrant(credentials(user), from(OWNER));
    assert.equal(status, 200);
    // The client has verified issuer, audience, times and signature of this one by itself.
    assert.ok(data.id_token);
    assert.equal((await newestEvent('sepft', user.email)).ip, OWNER);

    const byRealm = await login.oauth.passwordGrant({ ...credentials(user), realm: connection.name });
    assert.ok(byRealm.data.access_token);
  });

  test('opens the user’s profile', async () => {
    const user = await createUser(connection, 'profile');
    const { data } = await login.oauth.passwordGrant({ ...credentials(user), scope: 'openid email' });
    const profile = await new UserInfoClient({ domain }).getUserInfo(data.access_token);
    assert.equal(profile.data.sub, user.user_id);
    assert.equal(profile.data.email, user.email);
  });

  test('reports a wrong password and a wrong secret', async () => {
    const user = await createUser(connection, 'wrong');
    await assert.rejects(login.oauth.passwordGrant(credentials(user, WRONG_PASSWORD), from(OWNER)), (error) => {
      assert.ok(error instanceof AuthApiError);
      assert.equal(error.statusCode, 403);
      assert.equal(error.error, 'invalid_grant');
      assert.equal(error.error_description, 'Wrong email or password.');
      return true;
    });
    const impostor = client({ ...application, client_secret: 'not-the-secret' });
    await assert.rejects(impostor.oauth.passwordGrant(credentials(user)), { statusCode: 401, error: 'access_denied' });
  });

  test('gets a machine’s token by client credentials', async () => {
    const machine = client({ client_id: administrator.clientId, client_secret: administrator.clientSecret });
    const { data } = await machine.oauth.clientCredentialsGrant({ audience: managementAudience });
    assert.equal(data.token_type, 'Bearer');
    assert.ok(data.scope.split(' ').includes('read:users'));
  });
});

for (const { by, shown, lift } of [
  {
    by: 'user id',
    shown: (user) => management.userBlocks.get({ id: user.user_id }),
    lift: (user) => management.userBlocks.delete({ id: user.user_id }),
  },
  {
    by: 'identifier',
    shown: (user) => management.userBlocks.getAll({ identifier: user.email }),
    lift: (user) => management.userBlocks.deleteAll({ identifier: user.email }),
  },
]) {
  test(`the block is shown and lifted by ${by}`, async () => {
    const user = await createUser(connection, 'blocked');
    for (let guess = 1; guess <= 10; guess += 1) {
      await assert.rejects(login.oauth.passwordGrant(credentials(user, WRONG_PASSWORD), from(ATTACKER)), {
        statusCode: 403,
      });
    }
    await assert.rejects(login.oauth.passwordGrant(credentials(user), from(ATTACKER)), {
      statusCode: 429,
      error: 'too_many_attempts',
      error_description: BLOCKED,
    });
    assert.ok((await login.oauth.passwordGrant(credentials(user), from(OWNER))).data.access_token);

    assert.deepEqual((await shown(user)).data.blocked_for, [
      { identifier: user.email, ip: ATTACKER, connection: connection.name },
    ]);
    await lift(user);
    assert.deepEqual((await shown(user)).data.blocked_for, []);
    assert.ok((await login.oauth.passwordGrant(credentials(user), from(ATTACKER))).data.access_token);
    await assert.rejects(management.anomaly.checkIfIpIsBlocked({ id: ATTACKER }), { statusCode: 404 });
  });
}

describe('Management client', () => {
  test('makes, finds, changes and deletes an application', async () => {
    const { clients } = management;
    const shape = {
      name: 'Legacy life',
      app_type: 'regular_web',
      token_endpoint_auth_method: 'client_secret_post',
      is_token_endpoint_ip_header_trusted: true,
      grant_types: PASSWORD_GRANTS,
    };
    const { data: made } = await clients.create(shape);
    const client_id = made.client_id;
    assert.equal(made.is_token_endpoint_ip_header_trusted, true);
    const { data: page } = await clients.getAll({ per_page: 100, include_totals: true });
    assert.ok(page.clients.some((each) => each.client_id === client_id));
    assert.equal(page.total, page.clients.length);

    await clients.update({ client_id }, { description: 'changed' });
    const { data: renewed } = await clients.rotateClientSecret({ client_id });
    assert.notEqual(renewed.client_secret, made.client_secret);
    const { data: stored } = await clients.get({ client_id });
    assert.equal(stored.description, 'changed');
    assert.deepEqual(stored.grant_types, PASSWORD_GRANTS);

    await assert.rejects(clients.update({ client_id }, { token_endpoint_auth_method: 'none' }), (error) => {
      assert.ok(error instanceof ManagementApiError);
      assert.equal(error.statusCode, 400);
      assert.match(error.msg, /^The flag is_token_endpoint_ip_header_trusted can only be set true on clients/);
      return true;
    });
    await clients.delete({ client_id });
    await assert.rejects(clients.get({ client_id }), { statusCode: 404, errorCode: 'inexistent_client' });
  });

  test('makes an API, grants it to a machine, and the machine gets its scopes', async () => {
    const { data: made } = await management.resourceServers.create({
      name: 'Legacy stock',
      identifier: 'https://legacy-stock.example.com/',
      scopes: [{ value: 'read:stock' }, { value: 'write:stock' }],
    });
    assert.equal((await management.resourceServers.get({ id: made.identifier })).data.id, made.id);
    const { data: machine } = await management.clients.create({
      name: 'Legacy machine',
      app_type: 'non_interactive',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
    });
    const { data: grant } = await management.clientGrants.create({
      client_id: machine.client_id,
      audience: made.identifier,
      scope: ['read:stock'],
    });
    const token = await client(machine).oauth.clientCredentialsGrant({ audience: made.identifier });
    assert.equal(token.data.scope, 'read:stock');

    await management.clientGrants.update({ id: grant.id }, { scope: ['read:stock', 'write:stock'] });
    const { data: grants } = await management.clientGrants.getAll({ client_id: machine.client_id });
    assert.deepEqual(grants.map(({ id, scope }) => ({ id, scope })), [
      { id: grant.id, scope: ['read:stock', 'write:stock'] },
    ]);
    await management.clientGrants.delete({ id: grant.id });
    await assert.rejects(client(machine).oauth.clientCredentialsGrant({ audience: made.identifier }), {
      statusCode: 403,
    });
    await management.resourceServers.delete({ id: made.id });
    await assert.rejects(management.resourceServers.get({ id: made.id }), { statusCode: 404 });
  });

  test('makes, changes and deletes a directory and its user', async () => {
    const { connections, users, usersByEmail } = management;
    const { data: made } = await connections.create({ name: 'legacy-short-lived', strategy: 'auth0' });
    await connections.updateEnabledClients({ id: made.id }, [{ client_id: application.client_id, status: true }]);
    const { data: enabled } = await connections.getEnabledClients({ id: made.id });
    assert.deepEqual(enabled.clients.map((each) => each.client_id), [application.client_id]);
    const { data: listed } = await connections.getAll({ strategy: 'auth0', name: made.name });
    assert.deepEqual(listed.map((each) => each.id), [made.id]);

    const email = 'legacy@example.com';
    const { data: user } = await users.create({ connection: made.name, email, password: PASSWORD });
    assert.equal((await usersByEmail.getByEmail({ email })).data[0].user_id, user.user_id);
    const byRealm = { ...credentials(user), realm: made.name };
    assert.ok((await login.oauth.passwordGrant(byRealm)).data.access_token);
    await users.update({ id: user.user_id }, { blocked: true });
    await assert.rejects(login.oauth.passwordGrant(byRealm), { statusCode: 403, error: 'unauthorized' });
    const { data: events } = await users.getLogs({ id: user.user_id });
    assert.ok(events.some((event) => event.type === 'sepft'));
    await users.delete({ id: user.user_id });
    await assert.rejects(users.get({ id: user.user_id }), { statusCode: 404, errorCode: 'inexistent_user' });
    await connections.delete({ id: made.id });
    await assert.rejects(connections.get({ id: made.id }), { statusCode: 404 });
  });

  test('changes the shields and puts them back', async () => {
    const shields = management.attackProtection;
    const { data: before } = await shields.getBruteForceConfig();
    try {
      const { data: changed } = await shields.updateBruteForceConfig({ max_attempts: 20 });
      assert.deepEqual(changed, { ...before, max_attempts: 20, shields: changed.shields });
    } finally {
      await shields.updateBruteForceConfig({ max_attempts: before.max_attempts });
    }
    const { data: throttling } = await shields.getSuspiciousIpThrottlingConfig();
    assert.deepEqual(throttling.stage['pre-login'], { max_attempts: 100, rate: 864000 });
    await assert.rejects(shields.updateBreachedPasswordDetectionConfig({ method: 'enhanced' }), { statusCode: 400 });
  });
});
