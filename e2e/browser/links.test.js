// A real browser, scripts on: first as a scanner of mails that opens every link and waits, then as a person who clicks.
// What the scanner opens changes nothing and stays good; what the person does works, once.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { authentication, createApplication, createDirectory, createUser, management, PASSWORD } from '../node/tenant.js';

const NEW_PASSWORD = 'Another-Horse-43';
const SCANS = 3;

let browser, connection, login;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  const application = await createApplication('Browser', { trusted: true });
  connection = await createDirectory('browser', [application]);
  login = authentication(application);
});

after(() => browser?.close());

async function open(url, visit) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: true });
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    const answer = await page.goto(url, { waitUntil: 'networkidle' });
    const told = await visit(page, answer);
    assert.deepEqual(complaints.filter((text) => text.includes('Content Security Policy')), []);
    return told;
  } finally {
    await context.close();
  }
}

// Opens, waits until nothing moves any more, and follows what the page links to; it sends no form.
async function scan(url) {
  for (let number = 0; number < SCANS; number += 1) {
    await open(url, async (page, answer) => {
      assert.equal(answer.status(), 200);
      assert.equal(page.url().split('#')[0], url.split('#')[0], 'the page sends nobody anywhere by itself');
      for (const link of await page.locator('a[href]').all()) await link.evaluate((element) => fetch(element.href));
    });
  }
}

const canLogIn = async (user, password) => {
  try {
    const { data } = await login.oauth.passwordGrant({ username: user.email, password });
    return Boolean(data.access_token);
  } catch {
    return false;
  }
};

describe('Links', () => {
  test('to a new password: a scanner uses none up, a person sets one, once', async () => {
    const user = await createUser(connection, 'reset');
    const { ticket } = await management.tickets.changePassword({ user_id: user.user_id });
    await scan(ticket);
    assert.equal(await canLogIn(user, PASSWORD), true);

    await open(ticket, async (page) => {
      await page.getByLabel('New password').fill('weak');
      await page.getByLabel('The same again').fill('weak');
      await page.getByRole('button').click();
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').innerText(), /too weak/);
      await page.getByLabel('New password').fill(NEW_PASSWORD);
      await page.getByLabel('The same again').fill(NEW_PASSWORD);
      await page.getByRole('button').click();
      await page.getByRole('heading', { name: 'Your password was changed' }).waitFor();
    });
    assert.equal(await canLogIn(user, NEW_PASSWORD), true);
    assert.equal(await canLogIn(user, PASSWORD), false);
    await open(ticket, async (page, answer) => assert.equal(answer.status(), 404));
  });

  test('to verify an address: a scanner verifies nothing, a click does, and goes on to where it should', async () => {
    const email = `verify-${randomUUID().slice(0, 8)}@example.com`;
    const user = await management.users.create({
      connection: connection.name,
      email,
      password: PASSWORD,
      verify_email: false,
    });
    const result = `https://${process.env.E2E_DOMAIN}/livez`;
    const { ticket } = await management.tickets.verifyEmail({ user_id: user.user_id, result_url: result });
    const isVerified = async () => (await management.users.get(user.user_id)).email_verified;
    await scan(ticket);
    assert.equal(await isVerified(), false);

    await open(ticket, async (page) => {
      await page.getByRole('button').click();
      await page.waitForURL((url) => url.pathname === '/livez');
      assert.equal(new URL(page.url()).searchParams.get('success'), 'true');
    });
    assert.equal(await isVerified(), true);
    await open(ticket, async (page, answer) => assert.equal(answer.status(), 404));
  });
});
