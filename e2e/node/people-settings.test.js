// npm `auth0` 6.x, unchanged: every setting of what protects people, written and read back, each alone.
// What they do is told by the server's own tests; breached passwords and mails have files of their own beside this one.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createApplication, createDirectory, management, PASSWORD } from './tenant.js';

const { attackProtection } = management;

let application, connection;

before(async () => {
  application = await createApplication('People settings', { trusted: true });
  connection = await createDirectory('people-settings', [application]);
});

// Each change is in the answer, and in what is read afterwards; the rest stays.
async function drive(settings, changes) {
  const before = await settings.get();
  try {
    for (const change of changes) {
      const changed = await settings.update(change);
      for (const [name, value] of Object.entries(change)) {
        if (name === 'stage') {
          for (const [stage, limits] of Object.entries(value)) assert.deepEqual(changed.stage[stage], limits, stage);
        } else {
          assert.deepEqual(changed[name], value, name);
        }
      }
      assert.deepEqual(await settings.get(), changed);
    }
  } finally {
    await settings.update(before);
  }
  assert.deepEqual(await settings.get(), before);
}

describe('settings of what protects people', () => {
  test('brute-force protection', () =>
    drive(attackProtection.bruteForceProtection, [
      { enabled: false },
      { enabled: true },
      { shields: [] },
      { shields: ['block'] },
      { shields: ['user_notification'] },
      { shields: ['block', 'user_notification'] },
      { mode: 'count_per_identifier' },
      { mode: 'count_per_identifier_and_ip' },
      { allowlist: ['192.0.2.1', '198.51.100.0/24', '2001:db8::1', '2001:db8:1::/48'] },
      { allowlist: [] },
      { max_attempts: 1 },
      { max_attempts: 100 },
    ]));

  test('suspicious IP throttling', () =>
    drive(attackProtection.suspiciousIpThrottling, [
      { enabled: false },
      { enabled: true },
      { shields: [] },
      { shields: ['block'] },
      { shields: ['admin_notification'] },
      { shields: ['admin_notification', 'block'] },
      { allowlist: ['192.0.2.1', '2001:db8:1::/48'] },
      { stage: { 'pre-login': { max_attempts: 2500, rate: 34560 } } },
      { stage: { 'pre-user-registration': { max_attempts: 72000, rate: 1200 } } },
      { stage: { 'pre-user-registration': { max_attempts: 1, rate: 86400000 } } },
    ]));

  test('the rules of a directory for sign-ups and new passwords', async () => {
    const before = (await management.connections.get(connection.id)).options;
    for (const option of [
      ...['none', 'low', 'fair', 'good', 'excellent'].map((passwordPolicy) => ({ passwordPolicy })),
      { password_complexity_options: { min_length: 12 } },
      { password_history: { enable: true, size: 24 } },
      { password_dictionary: { enable: true, dictionary: ['Portcullis-2024'] } },
      { password_no_personal_info: { enable: true } },
      { disable_signup: true },
      { disable_self_service_change_password: true },
      { requires_username: true },
      { brute_force_protection: false },
    ]) {
      const changed = await management.connections.update(connection.id, { options: { ...before, ...option } });
      const [[name, value]] = Object.entries(option);
      assert.deepEqual(changed.options[name], value, name);
      assert.deepEqual((await management.connections.get(connection.id)).options[name], value, name);
    }
    const reset = await management.connections.update(connection.id, { options: before });
    assert.deepEqual(reset.options, before);
  });

  test('what mails say of the tenant, and what a sign-up tells', async () => {
    const { settings } = management.tenants;
    for (const change of [
      { friendly_name: 'The shop' },
      { support_email: 'help@example.com' },
      { support_url: 'https://help.example.com/' },
    ]) {
      const [[name, value]] = Object.entries(change);
      assert.equal((await settings.update(change))[name], value);
      assert.equal((await settings.get())[name], value);
    }
    for (const told of [true, false]) {
      const flags = { enable_public_signup_user_exists_error: told };
      assert.equal((await settings.update({ flags })).flags.enable_public_signup_user_exists_error, told);
    }
  });

  test('every field of a template, for every mail that is sent', async () => {
    for (const name of ['verify_email', 'welcome_email', 'blocked_account', 'stolen_credentials', 'password_reset']) {
      const template = {
        template: name,
        body: '<p>{{ user.email }} {{ url }}</p>',
        from: 'Shop <shop@example.com>',
        subject: `About ${name}`,
        syntax: 'liquid',
        resultUrl: 'https://shop.example.com/done',
        urlLifetimeInSeconds: 600,
        includeEmailInRedirect: true,
        enabled: true,
      };
      assert.deepEqual(await management.emailTemplates.create(template), template);
      for (const change of [
        { body: '<p>Changed {{ url }}</p>' },
        { from: 'till@example.com' },
        { subject: 'Changed' },
        { resultUrl: '{{ application.callback_domain }}/done' },
        { urlLifetimeInSeconds: 60 },
        { includeEmailInRedirect: false },
        { enabled: false },
      ]) {
        Object.assign(template, change);
        assert.deepEqual(await management.emailTemplates.update(name, change), template);
      }
      assert.deepEqual(await management.emailTemplates.get(name), template);
      // Other suites get the built-in mails.
      await management.emailTemplates.update(name, { ...template, enabled: true, body: '<p>{{ url }}</p>' });
    }
  });

  test('every field of a ticket', async () => {
    const email = `ticket-${randomUUID().slice(0, 8)}@example.com`;
    const user = await management.users.create({
      connection: connection.name,
      email,
      password: PASSWORD,
      verify_email: false,
    });
    const common = {
      result_url: 'https://shop.example.com/done',
      ttl_sec: 60,
      includeEmailInRedirect: true,
      client_id: application.client_id,
    };
    const tickets = [
      management.tickets.changePassword({ user_id: user.user_id, ...common, mark_email_as_verified: true }),
      management.tickets.changePassword({ email, connection_id: connection.id, ttl_sec: 60 }),
      management.tickets.verifyEmail({ user_id: user.user_id, ...common }),
    ];
    for (const { ticket } of await Promise.all(tickets)) assert.match(ticket, /\/u\/[a-z-]+\?ticket=[\w-]{43}#$/);
    const job = await management.jobs.verificationEmail.create({
      user_id: user.user_id,
      client_id: application.client_id,
    });
    assert.equal((await management.jobs.get(job.id)).status, 'completed');
  });

  after(() => management.connections.update(connection.id, { options: { passwordPolicy: 'good' } }));
});
