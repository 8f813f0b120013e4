// npm `auth0` 6.x, unchanged: sign-up, forgotten passwords, links, and the directory's rules for new passwords.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { AuthApiError } from 'auth0';
import { authentication, createApplication, createDirectory, management, newestEvent, PASSWORD } from './tenant.js';

let connection, application, login;

before(async () => {
  application = await createApplication('Accounts', { trusted: true });
  connection = await createDirectory('accounts', [application]);
  login = authentication(application);
});

const address = (name) => `${name}-${randomUUID().slice(0, 8)}@example.com`;

function signUp(email, password = PASSWORD) {
  return login.database.signUp({ connection: connection.name, email, password });
}

describe('Sign-up', () => {
  test('makes an account that can log in', async () => {
    const email = address('new');
    const { status, data } = await signUp(email);
    assert.equal(status, 200);
    assert.deepEqual([data.email, data.email_verified], [email, false]);
    const { data: tokens } = await login.oauth.passwordGrant({ username: email, password: PASSWORD });
    assert.ok(tokens.access_token);
    assert.equal((await newestEvent('ss', email)).user_id, `auth0|${data._id ?? data.id}`);
  });

  test('refuses a weak password with its reason', async () => {
    await assert.rejects(signUp(address('weak'), 'weak'), (error) => {
      assert.ok(error instanceof AuthApiError);
      assert.deepEqual([error.statusCode, error.error], [400, 'invalid_password']);
      return true;
    });
  });

  test('does not tell who has an account, unless the tenant wants it', async () => {
    const email = address('twice');
    await signUp(email);
    assert.equal((await signUp(email)).status, 200);
    await management.tenants.settings.update({ flags: { enable_public_signup_user_exists_error: true } });
    try {
      await assert.rejects(signUp(email), (error) => error.statusCode === 400 && error.error === 'user_exists');
    } finally {
      await management.tenants.settings.update({ flags: { enable_public_signup_user_exists_error: false } });
    }
  });
});

describe('New passwords', () => {
  test('are asked for with one answer for all', async () => {
    const email = address('forgotten');
    await signUp(email);
    for (const who of [email, address('nobody')]) {
      const { status, data } = await login.database.changePassword({ connection: connection.name, email: who });
      assert.equal(status, 200);
      assert.equal(data, "We've just sent you an email to reset your password.");
    }
    assert.ok(await newestEvent('scpr', email));
  });

  test('come through tickets and jobs of the management client', async () => {
    const email = address('ticket');
    const { data } = await signUp(email);
    const user_id = `auth0|${data._id ?? data.id}`;
    const change = await management.tickets.changePassword({ user_id, ttl_sec: 60 });
    assert.match(change.ticket, /\/u\/reset-password\?ticket=[\w-]{43}#$/);
    const verify = await management.tickets.verifyEmail({ user_id });
    assert.match(verify.ticket, /\/u\/email-verification\?ticket=[\w-]{43}#$/);
    const job = await management.jobs.verificationEmail.create({ user_id });
    assert.equal(job.type, 'verification_email');
    assert.equal((await management.jobs.get(job.id)).status, 'completed');
  });

  test('keep to the rules of the directory', async () => {
    const options = {
      passwordPolicy: 'excellent',
      password_history: { enable: true, size: 5 },
      password_dictionary: { enable: true, dictionary: ['Portcullis-2024'] },
      password_no_personal_info: { enable: true },
      password_complexity_options: { min_length: 12 },
    };
    const changed = await management.connections.update(connection.id, { options });
    for (const [name, value] of Object.entries(options)) assert.deepEqual(changed.options[name], value);
    await assert.rejects(signUp(address('short'), 'Aa1!Aa1!Aa1'), (error) => error.error === 'invalid_password');
    await management.connections.update(connection.id, { options: { passwordPolicy: 'good' } });
  });
});
