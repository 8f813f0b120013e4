// npm `auth0` 6.x, unchanged: its Authentication client and its Management client.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AuthApiError, ManagementError } from 'auth0';
import {
  administrator,
  authentication,
  BLOCKED,
  createApi,
  createApplication,
  createDirectory,
  createUser,
  management,
  managementAudience,
  newestEvent,
  PASSWORD,
  PASSWORD_GRANTS,
  WRONG_PASSWORD,
} from './tenant.js';

const OWNER = '203.0.113.20';
const ATTACKER = '198.51.100.20';

let api, connection, application, login;

before(async () => {
  api = await createApi('auth0-sdk');
  application = await createApplication('auth0 SDK', { trusted: true });
  connection = await createDirectory('auth0-sdk', [application]);
  login = authentication(application);
});

function from(address) {
  return { initOverrides: { headers: { 'auth0-forwarded-for': address } } };
}

function credentials(user, password = PASSWORD) {
  return { username: user.email, password, audience: api.identifier, scope: 'openid read:orders' };
}

describe('Authentication client', () => {
  test('logs a user in for the end user’s address', async () => {
    const user = await createUser(connection, 'header');
    const { status, data } = await login.oauth.passwordGrant(credentials(user), from(OWNER));
    assert.equal(status, 200);
    assert.equal(data.token_type, 'Bearer');
    // The client has verified issuer, audience, times and signature of this one by itself.
    assert.ok(data.id_token);
    assert.equal((await newestEvent('sepft', user.email)).ip, OWNER);
  });

  test('logs a user in without the header', async () => {
    const user = await createUser(connection, 'plain');
    const { data } = await login.oauth.passwordGrant(credentials(user));
    assert.ok(data.access_token);
    assert.equal((await newestEvent('sepft', user.email)).ip, '127.0.0.1');
  });

  test('logs a user in by realm', async () => {
    const user = await createUser(connection, 'realm');
    const { data } = await login.oauth.passwordGrant({ ...credentials(user), realm: connection.name }, from(OWNER));
    assert.ok(data.access_token);
  });

  test('ignores the header of an application that is not trusted', async () => {
    const untrusted = await createApplication('Untrusted', { trusted: false });
    await management.connections.clients.update(connection.id, [{ client_id: untrusted.client_id, status: true }]);
    const user = await createUser(connection, 'untrusted');
    await authentication(untrusted).oauth.passwordGrant(credentials(user), from(OWNER));
    assert.equal((await newestEvent('sepft', user.email)).ip, '127.0.0.1');
  });

  test('reports a wrong password and an unknown user alike', async () => {
    const user = await createUser(connection, 'wrong');
    for (const guess of [credentials(user, WRONG_PASSWORD), { ...credentials(user), username: 'nobody@example.com' }]) {
      await assert.rejects(login.oauth.passwordGrant(guess, from(OWNER)), (error) => {
        assert.ok(error instanceof AuthApiError);
        assert.equal(error.statusCode, 403);
        assert.deepEqual(JSON.parse(error.body), {
          error: 'invalid_grant',
          error_description: 'Wrong email or password.',
        });
        return true;
      });
    }
  });

  test('reports a wrong client secret', async () => {
    const user = await createUser(connection, 'secret');
    const impostor = authentication({ ...application, client_secret: 'not-the-secret' });
    await assert.rejects(impostor.oauth.passwordGrant(credentials(user), from(OWNER)), (error) => {
      assert.equal(error.statusCode, 401);
      assert.equal(error.error, 'access_denied');
      assert.equal(error.error_description, 'Unauthorized');
      return true;
    });
  });

  test('gets a machine’s token by client credentials', async () => {
    const machine = authentication({
      client_id: administrator.clientId,
      client_secret: administrator.clientSecret,
    });
    const { data } = await machine.oauth.clientCredentialsGrant({ audience: managementAudience });
    assert.equal(data.token_type, 'Bearer');
    assert.equal(data.expires_in, 86400);
    assert.ok(data.scope.split(' ').includes('read:users'));
  });
});

describe('the block', () => {
  async function block(user) {
    for (let guess = 1; guess <= 10; guess += 1) {
      await assert.rejects(login.oauth.passwordGrant(credentials(user, WRONG_PASSWORD), from(ATTACKER)), {
        statusCode: 403,
      });
    }
  }

  test('comes after ten guesses, for that address alone', async () => {
    const user = await createUser(connection, 'blocked');
    await block(user);
    await assert.rejects(login.oauth.passwordGrant(credentials(user), from(ATTACKER)), {
      statusCode: 429,
      error: 'too_many_attempts',
      error_description: BLOCKED,
    });
    assert.ok((await login.oauth.passwordGrant(credentials(user), from(OWNER))).data.access_token);
    assert.equal((await newestEvent('limit_wc', user.email)).ip, ATTACKER);
  });

  test('is shown and lifted by user id', async () => {
    const user = await createUser(connection, 'by-id');
    await block(user);
    const { blocked_for } = await management.userBlocks.list(user.user_id);
    assert.deepEqual(blocked_for, [{ identifier: user.email, ip: ATTACKER, connection: connection.name }]);
    await management.userBlocks.delete(user.user_id);
    assert.deepEqual((await management.userBlocks.list(user.user_id)).blocked_for, []);
    const { data: events } = await management.users.logs.list(user.user_id);
    const lifted = events.find((event) => event.type === 'portcullis_block_lifted');
    assert.equal(lifted.details.portcullis.block.lifted_by.how, 'administrator');
    assert.ok(events.some((event) => event.type === 'portcullis_block_created'));
    assert.ok((await login.oauth.passwordGrant(credentials(user), from(ATTACKER))).data.access_token);
  });

  test('is shown and lifted by identifier', async () => {
    const user = await createUser(connection, 'by-identifier');
    await block(user);
    const identifier = { identifier: user.email };
    assert.equal((await management.userBlocks.listByIdentifier(identifier)).blocked_for.length, 1);
    await management.userBlocks.deleteByIdentifier(identifier);
    assert.deepEqual((await management.userBlocks.listByIdentifier(identifier)).blocked_for, []);
    assert.ok((await login.oauth.passwordGrant(credentials(user), from(ATTACKER))).data.access_token);
  });
});

describe('Management client', () => {
  test('keeps an application’s settings', async () => {
    const stored = await management.clients.get(application.client_id);
    assert.equal(stored.token_endpoint_auth_method, 'client_secret_post');
    assert.equal(stored.is_token_endpoint_ip_header_trusted, true);
    assert.deepEqual(stored.grant_types, PASSWORD_GRANTS);
    assert.equal(stored.client_secret, application.client_secret);

    const listed = await management.clients.list({ per_page: 100 });
    assert.ok(listed.data.some((client) => client.client_id === application.client_id));
  });

  test('refuses the trusted header without authentication', async () => {
    const shape = { name: 'Public', app_type: 'spa', token_endpoint_auth_method: 'none' };
    await assert.rejects(
      management.clients.create({ ...shape, is_token_endpoint_ip_header_trusted: true }),
      refusedTrust,
    );
    await assert.rejects(
      management.clients.update(application.client_id, { token_endpoint_auth_method: 'none' }),
      refusedTrust,
    );
  });

  function refusedTrust(error) {
    assert.ok(error instanceof ManagementError);
    assert.equal(error.statusCode, 400);
    assert.match(error.body.message, /^The flag is_token_endpoint_ip_header_trusted can only be set true on clients/);
    return true;
  }

  test('rotates a secret and the old one ends', async () => {
    const rotating = await createApplication('Rotating', { trusted: false });
    await management.connections.clients.update(connection.id, [{ client_id: rotating.client_id, status: true }]);
    const user = await createUser(connection, 'rotating');
    const renewed = await management.clients.rotateSecret(rotating.client_id);
    assert.notEqual(renewed.client_secret, rotating.client_secret);
    assert.ok((await authentication(renewed).oauth.passwordGrant(credentials(user))).data.access_token);
    await assert.rejects(authentication(rotating).oauth.passwordGrant(credentials(user)), { statusCode: 401 });
  });

  test('finds an API by identifier, changes and deletes it', async () => {
    const apis = management.resourceServers;
    const made = await apis.create({ name: 'Short-lived', identifier: 'https://short.example.com/' });
    assert.match(made.id, /^[0-9a-f]{24}$/);
    assert.equal((await apis.get('https://short.example.com/')).id, made.id);
    assert.equal((await apis.update(made.id, { token_lifetime: 600 })).token_lifetime, 600);
    await apis.delete(made.id);
    await apis.delete(made.id);
    await assert.rejects(apis.get(made.id), { statusCode: 404 });
  });

  test('lists, enables, disables and deletes a directory', async () => {
    const { connections } = management;
    const made = await connections.create({ name: 'short-lived-users', strategy: 'auth0' });
    assert.equal(made.options.brute_force_protection, true);
    const listed = await connections.list({ strategy: 'auth0', name: made.name });
    assert.deepEqual(listed.data.map((each) => each.id), [made.id]);

    const enabled = async () => (await connections.clients.get(made.id)).data.map((each) => each.client_id);
    await connections.clients.update(made.id, [{ client_id: application.client_id, status: true }]);
    assert.deepEqual(await enabled(), [application.client_id]);
    await connections.clients.update(made.id, [{ client_id: application.client_id, status: false }]);
    assert.deepEqual(await enabled(), []);
    await connections.delete(made.id);
    await assert.rejects(connections.get(made.id), { statusCode: 404 });
  });

  test('refuses a security setting that is not enforced', async () => {
    const breached = management.attackProtection.breachedPasswordDetection;
    await assert.rejects(breached.update({ method: 'enhanced' }), { statusCode: 400 });
    await assert.rejects(management.clients.update(application.client_id, { require_proof_of_possession: true }), {
      statusCode: 400,
    });
  });

  test('finds, changes and deletes a user', async () => {
    const user = await createUser(connection, 'life');
    assert.match(user.user_id, /^auth0\|[0-9a-f]{24}$/);
    const [found] = await management.users.listUsersByEmail({ email: user.email });
    assert.equal(found.user_id, user.user_id);

    await management.users.update(user.user_id, { blocked: true });
    await assert.rejects(login.oauth.passwordGrant(credentials(user), from(OWNER)), {
      statusCode: 403,
      error: 'unauthorized',
      error_description: 'user is blocked',
    });

    await management.users.delete(user.user_id);
    await assert.rejects(management.users.get(user.user_id), (error) => {
      assert.equal(error.statusCode, 404);
      assert.equal(error.body.errorCode, 'inexistent_user');
      return true;
    });
  });

  test('changes the shields and puts them back', async () => {
    const shield = management.attackProtection.bruteForceProtection;
    const before = await shield.get();
    assert.equal(before.enabled, true);
    assert.equal(before.max_attempts, 10);
    try {
      const changed = await shield.update({ max_attempts: 20 });
      // The order of the shields is not promised.
      assert.deepEqual(changed, { ...before, max_attempts: 20, shields: changed.shields });
      assert.deepEqual(new Set(changed.shields), new Set(before.shields));
    } finally {
      await shield.update({ max_attempts: 10 });
    }

    const throttling = await management.attackProtection.suspiciousIpThrottling.get();
    assert.deepEqual(throttling.stage['pre-login'], { max_attempts: 100, rate: 864000 });
  });

  test('shows and lifts the throttle of an address', async () => {
    const address = '203.0.113.98';
    const shield = management.attackProtection.suspiciousIpThrottling;
    const { stage } = await shield.get();
    const few = { ...stage, 'pre-login': { max_attempts: 3, rate: 3600000 } };
    await shield.update({ stage: few });
    try {
      for (let number = 0; number < 3; number += 1) {
        const guess = { username: `throttled-${number}@example.com`, password: 'wrong', audience: api.identifier };
        await assert.rejects(login.oauth.passwordGrant(guess, from(address)), { statusCode: 403 });
      }
      await management.anomaly.blocks.checkIp(address);
      await management.anomaly.blocks.unblockIp(address);
      await assert.rejects(management.anomaly.blocks.checkIp(address), { statusCode: 404 });
    } finally {
      await shield.update({ stage });
    }
  });

  test('says that an address is not blocked', async () => {
    await assert.rejects(management.anomaly.blocks.checkIp('203.0.113.99'), { statusCode: 404 });
    await management.anomaly.blocks.unblockIp('203.0.113.99');
  });

  test('walks the log to its end', async () => {
    const user = await createUser(connection, 'log');
    await login.oauth.passwordGrant(credentials(user), from(OWNER));
    const seen = new Set();
    for await (const event of await management.logs.list({ per_page: 5 })) {
      assert.ok(!seen.has(event.log_id), 'one event on two pages');
      seen.add(event.log_id);
      if (event.type === 'sepft' && event.user_name === user.email) {
        assert.equal((await management.logs.get(event.log_id)).log_id, event.log_id);
        assert.equal(event.client_id, application.client_id);
        return;
      }
    }
    assert.fail('the login is not in the log');
  });
});
