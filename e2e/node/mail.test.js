// npm `auth0` 6.x, unchanged: its Management client sets the e-mail provider and the templates.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { management } from './tenant.js';

const provider = {
  name: 'smtp',
  enabled: false, // the other suites keep their outbox
  default_from_address: 'Shop <shop@example.com>',
  credentials: { smtp_host: 'mail.example.com', smtp_port: 587, smtp_user: 'shop', smtp_pass: 'correct horse' },
};
const { smtp_pass: _, ...shownCredentials } = provider.credentials;

describe('e-mail provider', () => {
  test('is made, read and changed, and never shows its password', async () => {
    await assert.rejects(management.emails.provider.get(), { statusCode: 404 });
    const made = await management.emails.provider.create(provider);
    assert.deepEqual(made, { ...provider, credentials: shownCredentials });
    assert.deepEqual(await management.emails.provider.get(), made);
    assert.deepEqual(await management.emails.provider.get({ fields: 'name,enabled', include_fields: true }), {
      name: 'smtp',
      enabled: false,
    });
    await assert.rejects(management.emails.provider.create(provider), { statusCode: 409 });
    const changed = await management.emails.provider.update({ default_from_address: 'Till <till@example.com>' });
    assert.deepEqual(changed, { ...made, default_from_address: 'Till <till@example.com>' });
  });

  test('refuses what is not built, and a password for another server', async () => {
    const refusals = [
      [{ name: 'sendgrid', credentials: { api_key: 'x' } }, /property name/],
      [{ credentials: { smtp_host: 'mail.evil.example.com' } }, /credentials\.smtp_pass/],
      [{ default_from_address: 'shop' }, /default_from_address/],
    ];
    for (const [change, place] of refusals) {
      await assert.rejects(management.emails.provider.update(change), (error) => {
        assert.equal(error.statusCode, 400);
        assert.match(error.body.message, place);
        return true;
      });
    }
  });
});

describe('e-mail templates', () => {
  const template = {
    template: 'reset_email',
    body: '<p>Hello {{ user.name }}, <a href="{{ url }}">choose a new password</a>.</p>',
    from: '{{ friendly_name }} <shop@example.com>',
    subject: 'Your new password',
    syntax: 'liquid',
    resultUrl: '{{ application.callback_domain }}/done',
    urlLifetimeInSeconds: 3600,
    includeEmailInRedirect: true,
    enabled: true,
  };

  test('are made, read, changed and replaced', async () => {
    const { emailTemplates } = management;
    await assert.rejects(emailTemplates.get('reset_email'), { statusCode: 404 });
    assert.deepEqual(await emailTemplates.create(template), template);
    assert.deepEqual(await emailTemplates.get('reset_email'), template);
    await assert.rejects(emailTemplates.create(template), { statusCode: 409 });
    const changed = await emailTemplates.update('reset_email', { urlLifetimeInSeconds: 600 });
    assert.deepEqual(changed, { ...template, urlLifetimeInSeconds: 600 });
    const { resultUrl, urlLifetimeInSeconds, includeEmailInRedirect, ...required } = template;
    assert.deepEqual(await emailTemplates.set('reset_email', required), required);
  });

  test('are judged when they are saved, with the place in them', async () => {
    const spoilt = { body: 'Hello\n{{ user.name | shout }}' };
    await assert.rejects(management.emailTemplates.update('reset_email', spoilt), (error) => {
      assert.equal(error.statusCode, 400);
      assert.match(error.body.message, /body of reset_email, line 2, column/);
      return true;
    });
  });
});
