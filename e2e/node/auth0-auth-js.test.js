// npm `@auth0/auth0-auth-js`, unchanged: the authentication client of the server-side SDKs.
// It reads the discovery document first and goes by it.
//
// Not here yet, so not tested: everything that begins at /authorize (buildAuthorizationUrl, getTokenByCode), refresh
// tokens, token exchange, passkeys, passwordless and multi-factor. What stands for them below is that they are refused.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { AuthClient } from '@auth0/auth0-auth-js';
import jwt from 'jsonwebtoken';
import jwksClient from 'jwks-rsa';
import {
  administrator,
  BLOCKED,
  createApi,
  createApplication,
  createDirectory,
  createUser,
  domain,
  managementAudience,
  newestEvent,
  PASSWORD,
  WRONG_PASSWORD,
} from './tenant.js';

const OWNER = '203.0.113.40';
const ATTACKER = '198.51.100.40';
const issuer = `https://${domain}/`;

let api, connection, application, login;

before(async () => {
  api = await createApi('auth0-auth-js');
  application = await createApplication('auth0-auth-js', { trusted: true });
  connection = await createDirectory('auth0-auth-js', [application]);
  login = client(application);
});

function client({ client_id, client_secret }) {
  return new AuthClient({ domain, clientId: client_id, clientSecret: client_secret });
}

function credentials(user, password = PASSWORD) {
  return { username: user.email, password, audience: api.identifier, scope: 'openid read:orders' };
}

test('discovers the server', async () => {
  const metadata = await login.getServerMetadata();
  assert.equal(metadata.issuer, issuer);
  assert.equal(metadata.token_endpoint, `${issuer}oauth/token`);
  assert.equal(metadata.jwks_uri, `${issuer}.well-known/jwks.json`);
});

describe('a password login', () => {
  test('is for the end user’s address', async () => {
    const user = await createUser(connection, 'header');
    const answer = await login.getTokenByPassword({ ...credentials(user), auth0ForwardedFor: OWNER });
    assert.equal(answer.claims.sub, user.user_id);
    assert.equal((await newestEvent('sepft', user.email)).ip, OWNER);

    const { jwks_uri: jwksUri } = await login.getServerMetadata();
    const { header } = jwt.decode(answer.accessToken, { complete: true });
    const key = await jwksClient({ jwksUri }).getSigningKey(header.kid);
    const options = { algorithms: ['RS256'], issuer, audience: api.identifier };
    const claims = jwt.verify(answer.accessToken, key.getPublicKey(), options);
    assert.equal(claims.sub, user.user_id);
    assert.equal(claims.scope, 'openid read:orders');
  });

  test('opens the user’s profile', async () => {
    const user = await createUser(connection, 'profile');
    const { accessToken } = await login.getTokenByPassword({ ...credentials(user), scope: 'openid email' });
    const profile = await login.getUserInfo({ accessToken });
    assert.equal(profile.sub, user.user_id);
    assert.equal(profile.email, user.email);
  });

  test('goes by realm', async () => {
    const user = await createUser(connection, 'realm');
    await createDirectory('auth0-auth-js-other', [application]);
    await assert.rejects(login.getTokenByPassword(credentials(user)), { statusCode: 403 });
    const answer = await login.getTokenByPassword({ ...credentials(user), realm: connection.name });
    assert.equal(answer.claims.sub, user.user_id);
  });

  test('is refused with the reason, and the block is for one address alone', async () => {
    const user = await createUser(connection, 'blocked');
    const from = (address, password) =>
      login.getTokenByPassword({ ...credentials(user, password), realm: connection.name, auth0ForwardedFor: address });
    for (let guess = 1; guess <= 10; guess += 1) {
      await assert.rejects(from(ATTACKER, WRONG_PASSWORD), (error) => {
        assert.equal(error.code, 'token_by_password_error');
        assert.equal(error.statusCode, 403);
        assert.equal(error.cause.error, 'invalid_grant');
        assert.equal(error.cause.error_description, 'Wrong email or password.');
        return true;
      });
    }
    await assert.rejects(from(ATTACKER, PASSWORD), (error) => {
      assert.equal(error.statusCode, 429);
      assert.equal(error.cause.error, 'too_many_attempts');
      assert.equal(error.cause.error_description, BLOCKED);
      return true;
    });
    assert.ok((await from(OWNER, PASSWORD)).accessToken);
  });
});

describe('a machine', () => {
  test('gets its token by client credentials', async () => {
    const machine = client({ client_id: administrator.clientId, client_secret: administrator.clientSecret });
    const { accessToken, expiresAt } = await machine.getTokenByClientCredentials({ audience: managementAudience });
    assert.ok(expiresAt > Date.now() / 1000);
    const answer = await fetch(`${managementAudience}clients`, { headers: { authorization: `Bearer ${accessToken}` } });
    assert.equal(answer.status, 200);
  });

  test('is turned away with a wrong secret', async () => {
    const impostor = client({ client_id: administrator.clientId, client_secret: 'not-the-secret' });
    await assert.rejects(impostor.getTokenByClientCredentials({ audience: managementAudience }), {
      code: 'token_by_client_credentials_error',
      statusCode: 401,
    });
  });
});

// 501 is what the wire has for a grant that is not supported.
describe('what is not here', () => {
  const refused = (status) => (error) => {
    assert.equal(error.statusCode, status, `${error.statusCode} ${JSON.stringify(error.cause)}`);
    return true;
  };

  test('refresh tokens', () => assert.rejects(login.getTokenByRefreshToken({ refreshToken: 'none' }), refused(501)));

  test('codes from /authorize', () =>
    assert.rejects(
      login.getTokenByCode(new URL('https://app.example.com/callback?code=none'), { codeVerifier: 'v'.repeat(43) }),
      refused(501),
    ));
});

test('the application signs somebody up', async () => {
  const email = 'signed-up-by-auth-js@example.com';
  const { email: told } = await login.database.signUp({ email, password: PASSWORD, connection: connection.name });
  assert.equal(told, email);
});
