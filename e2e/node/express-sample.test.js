// The documented call from a server-side application on npm `request`, with and without the header.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { listening, sample } from './express-sample.js';
import {
  BLOCKED,
  createApi,
  createApplication,
  createDirectory,
  createUser,
  domain,
  newestEvent,
  PASSWORD,
  WRONG_PASSWORD,
} from './tenant.js';

const OWNER = '203.0.113.5';
const ATTACKER = '198.51.100.7';

let api, connection, application;

before(async () => {
  api = await createApi('express-sample');
  application = await createApplication('Express sample', { trusted: true });
  connection = await createDirectory('express-sample', [application]);
});

function withSample({ sendAddress }, use) {
  const app = sample({
    domain,
    clientId: application.client_id,
    clientSecret: application.client_secret,
    audience: api.identifier,
    scope: 'openid read:orders',
    sendAddress,
  });
  return listening(app, use);
}

async function login(address, from, username, password) {
  const response = await fetch(`${address}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    body: JSON.stringify({ username, password }),
  });
  return { status: response.status, body: await response.json() };
}

async function tenWrongGuesses(address, from, username) {
  for (let guess = 1; guess <= 10; guess += 1) {
    const { status, body } = await login(address, from, username, WRONG_PASSWORD);
    assert.equal(status, 403, `guess ${guess}: ${JSON.stringify(body)}`);
    assert.deepEqual(body, { error: 'invalid_grant', error_description: 'Wrong email or password.' });
  }
}

describe('with the header', () => {
  test('a user logs in and the event names the end user', async () => {
    const user = await createUser(connection, 'with');
    const { status, body } = await withSample({ sendAddress: true }, (address) =>
      login(address, OWNER, user.email, PASSWORD),
    );
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.token_type, 'Bearer');
    assert.equal(body.expires_in, 86400);
    assert.ok(body.access_token && body.id_token);

    const event = await newestEvent('sepft', user.email);
    assert.equal(event.ip, OWNER);
    assert.equal(event.client_ip, '127.0.0.1');
    assert.equal(event.user_id, user.user_id);
  });

  test('wrong guesses count for their own address alone', async () => {
    const user = await createUser(connection, 'victim');
    await withSample({ sendAddress: true }, async (address) => {
      await tenWrongGuesses(address, ATTACKER, user.email);

      const blocked = await login(address, ATTACKER, user.email, PASSWORD);
      assert.equal(blocked.status, 429);
      assert.deepEqual(blocked.body, { error: 'too_many_attempts', error_description: BLOCKED });

      const owner = await login(address, OWNER, user.email, PASSWORD);
      assert.equal(owner.status, 200, JSON.stringify(owner.body));
    });
  });
});

describe('without the header', () => {
  test('a user logs in and the event names the backend', async () => {
    const user = await createUser(connection, 'without');
    const { status, body } = await withSample({ sendAddress: false }, (address) =>
      login(address, OWNER, user.email, PASSWORD),
    );
    assert.equal(status, 200, JSON.stringify(body));

    const event = await newestEvent('sepft', user.email);
    assert.equal(event.ip, '127.0.0.1');
    assert.equal(event.client_ip, '127.0.0.1');
  });

  test('an attacker shuts the owner out: all share the address of the backend', async () => {
    const user = await createUser(connection, 'shared');
    await withSample({ sendAddress: false }, async (address) => {
      await tenWrongGuesses(address, ATTACKER, user.email);

      const owner = await login(address, OWNER, user.email, PASSWORD);
      assert.equal(owner.status, 429);
      assert.equal(owner.body.error, 'too_many_attempts');
    });
  });
});
