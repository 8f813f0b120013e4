// npm `auth0` 6.x, unchanged, and its classic classes: the statistics of the tenant.
// The last file of the suite, since logins count when they are a minute old.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ManagementClient as ClassicManagementClient } from 'auth0/legacy';
import {
  administrator, authentication, createApi, createApplication, createDirectory, createUser, domain, management, PASSWORD,
} from './tenant.js';

const COUNTED_WITHIN_MS = 120_000;

before(async () => {
  const api = await createApi('statistics');
  const application = await createApplication('Statistics', { trusted: true });
  const user = await createUser(await createDirectory('statistics', [application]), 'counted');
  const credentials = { username: user.email, password: PASSWORD, audience: api.identifier };
  await authentication(application).oauth.passwordGrant(credentials);
});

async function counted(read) {
  const deadline = Date.now() + COUNTED_WITHIN_MS;
  for (;;) {
    const found = await read();
    if (found) return found;
    assert.ok(Date.now() < deadline, 'no login was counted in time');
    await pause(500);
  }
}

describe('Statistics', () => {
  test('say how many users were active', async () => {
    const active = await counted(() => management.stats.getActiveUsersCount());
    assert.ok(Number.isInteger(active) && active > 0, `${active}`);
  });

  test('say what happened on each day', async () => {
    const day = await counted(async () => (await management.stats.getDaily()).find(({ logins }) => logins > 0));
    assert.match(day.date, /^\d{4}-\d\d-\d\dT00:00:00\.000Z$/);
    for (const member of ['logins', 'signups', 'leaked_passwords', 'leaked_passwords_signup']) {
      assert.ok(Number.isInteger(day[member]), member);
    }
    assert.ok(Date.parse(day.created_at) <= Date.parse(day.updated_at));
    const name = day.date.slice(0, 10).replaceAll('-', '');
    const [same] = await management.stats.getDaily({ from: name, to: name });
    assert.equal(same.date, day.date);
    await assert.rejects(management.stats.getDaily({ from: 'yesterday' }), { statusCode: 400 });
  });

  test('are read by the classic client', async () => {
    const classic = new ClassicManagementClient({ domain, ...administrator });
    assert.ok((await classic.stats.getActiveUsersCount()).data > 0);
    assert.ok((await classic.stats.getDaily()).data.some(({ logins }) => logins > 0));
  });
});
