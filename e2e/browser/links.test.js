// The links of real mails in a real browser, scripts on: first a scanner opens every one of them and waits, then a person
// presses the button. What the scanner does changes nothing and uses up nothing; what the person does works, once.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  authentication,
  BLOCKED,
  createApplication,
  createDirectory,
  createUser,
  management,
  newestEvent,
  PASSWORD,
  WRONG_PASSWORD,
} from '../node/tenant.js';
import { linksOf, linkWithTicket, mailTo } from './mails.js';
import { launch, open, pressOnceAndAgain, scan } from './visits.js';

const NEW_PASSWORD = 'Another-Horse-43';
const LATE_PASSWORD = 'Late-Horse-44-Battery';
const HOME = '203.0.113.60';

let browser, connection, login;

before(async () => {
  browser = await launch();
  const application = await createApplication('Browser', { trusted: true });
  connection = await createDirectory('browser', [application]);
  login = authentication(application);
});

after(() => browser?.close());

const from = (address) => ({ initOverrides: { headers: { 'auth0-forwarded-for': address } } });

// What a login is told: its status, and the text of a refusal.
async function told(user, password, address = HOME) {
  try {
    const { status } = await login.oauth.passwordGrant({ username: user.email, password }, from(address));
    return { status };
  } catch (error) {
    return { status: error.statusCode, text: error.error_description };
  }
}

const press = (page) => page.getByRole('button').click();

const choose = (password) => async (page) => {
  await page.getByLabel('New password').fill(password);
  await page.getByLabel('The same again').fill(password);
  await press(page);
};

const heading = (name) => (page) => page.getByRole('heading', { name }).waitFor();

describe('Links of mails', () => {
  test('to lift a block: a scanner lifts none, a person does, once', async () => {
    const user = await createUser(connection, 'blocked');
    for (let guess = 0; guess < 10; guess += 1) {
      assert.equal((await told(user, WRONG_PASSWORD)).status, 403);
    }
    assert.deepEqual(await told(user, PASSWORD), { status: 429, text: BLOCKED });

    const links = await linksOf(await mailTo(user.email, /stopped/), browser);
    const link = linkWithTicket(links);
    const legacy = link.replace('/u/brute-force-protection-unblock', '/lo/unblock');
    assert.notEqual(legacy, link);
    await scan(browser, [...links, legacy]);
    assert.deepEqual(await told(user, PASSWORD), { status: 429, text: BLOCKED });
    assert.equal(await newestEvent('ublkdu', user.email), undefined);

    await pressOnceAndAgain(browser, link, press, heading('You can try again'));
    assert.deepEqual(await told(user, PASSWORD), { status: 200 });
    assert.equal((await newestEvent('ublkdu', user.email)).user_id, user.user_id);
  });

  test('to a new password: a scanner uses none up, a person sets one, once', async () => {
    const user = await createUser(connection, 'reset');
    await login.database.changePassword({ connection: connection.name, email: user.email });
    const links = await linksOf(await mailTo(user.email, /new password/), browser);
    const link = linkWithTicket(links);
    await scan(browser, links);
    assert.deepEqual(await told(user, PASSWORD), { status: 200 });
    assert.equal(await newestEvent('scp', user.email), undefined);

    await open(browser, link, async (page) => {
      await choose('weak')(page);
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').innerText(), /too weak/);
    });
    const passwords = [NEW_PASSWORD, LATE_PASSWORD];
    const next = (page) => choose(passwords.shift())(page);
    await pressOnceAndAgain(browser, link, next, heading('Your password was changed'));
    assert.deepEqual(await told(user, NEW_PASSWORD), { status: 200 });
    for (const password of [PASSWORD, LATE_PASSWORD]) assert.equal((await told(user, password)).status, 403);
  });

  test('to verify an address: a scanner verifies none, a person does, once', async () => {
    const email = `verify-${randomUUID().slice(0, 8)}@example.com`;
    const { data: made } = await login.database.signUp({ connection: connection.name, email, password: PASSWORD });
    const userId = `auth0|${made._id ?? made.id}`;
    const isVerified = async () => (await management.users.get(userId)).email_verified;
    const links = await linksOf(await mailTo(email, /confirm/), browser);
    await scan(browser, links);
    assert.equal(await isVerified(), false);

    await pressOnceAndAgain(browser, linkWithTicket(links), press, heading('Your address is confirmed'));
    assert.equal(await isVerified(), true);
    assert.equal((await newestEvent('sv', email)).user_id, userId);
  });

  test('go on to where their maker wants, which the browser is let do', async () => {
    const user = await management.users.create({
      connection: connection.name,
      email: `onward-${randomUUID().slice(0, 8)}@example.com`,
      password: PASSWORD,
      verify_email: false,
    });
    const result = `https://${process.env.E2E_DOMAIN}/livez`;
    const { ticket } = await management.tickets.verifyEmail({ user_id: user.user_id, result_url: result });
    await scan(browser, [ticket]);
    await open(browser, ticket, async (page) => {
      await press(page);
      await page.waitForURL((url) => url.pathname === '/livez');
      assert.equal(new URL(page.url()).searchParams.get('success'), 'true');
    });
    assert.equal((await management.users.get(user.user_id)).email_verified, true);
  });
});
