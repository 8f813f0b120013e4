// Breached password detection through npm `auth0` 6.x and its `auth0/legacy`, unchanged: settings, the login's answer, the event.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ManagementClient } from 'auth0/legacy';
import {
  administrator,
  authentication,
  createApi,
  createApplication,
  createDirectory,
  domain,
  management,
  newestEvent,
  PASSWORD,
} from './tenant.js';

const OWNER = '203.0.113.25';
const LEAKED = `AUTH0-TEST-${PASSWORD}`;
const TEXT =
  "This login attempt has been blocked because the password you're using was previously disclosed through a data breach (not in this application). Please check your email for more information.";
const OFF = {
  enabled: false,
  shields: [],
  admin_notification_frequency: [],
  method: 'standard',
  stage: { 'pre-user-registration': { shields: [] }, 'pre-change-password': { shields: [] } },
};
const shield = management.attackProtection.breachedPasswordDetection;

let api, connection, login;

before(async () => {
  api = await createApi('breached');
  const application = await createApplication('Breached', { trusted: true });
  connection = await createDirectory('breached', [application]);
  login = authentication(application);
});

after(() => shield.update(OFF));

function passwordGrant(user, password) {
  const credentials = { username: user.email, password, audience: api.identifier, scope: 'read:orders' };
  return login.oauth.passwordGrant(credentials, { initOverrides: { headers: { 'auth0-forwarded-for': OWNER } } });
}

async function createUser(password) {
  const email = `leaked-${randomUUID().slice(0, 8)}@example.com`;
  return management.users.create({ connection: connection.name, email, password });
}

describe('breached password detection', () => {
  test('is off until it is switched on', async () => {
    const { stage, ...rest } = await shield.get();
    assert.deepEqual({ ...rest, stage }, OFF);
    const user = await createUser(LEAKED);
    assert.ok((await passwordGrant(user, LEAKED)).data.access_token);
  });

  test('takes every setting of its own', async () => {
    const settings = {
      enabled: true,
      shields: ['block', 'user_notification', 'admin_notification'],
      admin_notification_frequency: ['immediately', 'daily', 'weekly', 'monthly'],
      method: 'standard',
      stage: {
        'pre-user-registration': { shields: ['block', 'admin_notification'] },
        'pre-change-password': { shields: ['block', 'admin_notification'] },
      },
    };
    assert.deepEqual(await shield.update(settings), settings);
    assert.deepEqual(await shield.get(), settings);
  });

  test('refuses what this server cannot do', async () => {
    await assert.rejects(shield.update({ method: 'enhanced' }), { statusCode: 400 });
    assert.equal((await shield.get()).method, 'standard');
  });

  test('refuses a login with a breached password until it is changed', async () => {
    const user = await createUser(LEAKED);
    await assert.rejects(passwordGrant(user, LEAKED), (error) => {
      assert.equal(error.statusCode, 401);
      assert.deepEqual(JSON.parse(error.body), { error: 'password_leaked', error_description: TEXT });
      return true;
    });
    const event = await newestEvent('pwd_leak', user.email);
    assert.equal(event.ip, OWNER);
    assert.match(event.description, /attempted to login with a leaked password/);

    await management.users.update(user.user_id, { password: PASSWORD, connection: connection.name });
    assert.ok((await passwordGrant(user, PASSWORD)).data.access_token);
  });

  test('is driven by the classic client, too', async () => {
    const legacy = new ManagementClient({ domain, ...administrator }).attackProtection;
    const { data: changed } = await legacy.updateBreachedPasswordDetectionConfig({ shields: ['user_notification'] });
    assert.deepEqual(changed.shields, ['user_notification']);
    assert.deepEqual((await legacy.getBreachedPasswordDetectionConfig()).data, changed);
    const user = await createUser(LEAKED);
    assert.ok((await passwordGrant(user, LEAKED)).data.access_token);
  });
});
