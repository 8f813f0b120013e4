// The APIs behind the tokens: `express-oauth2-jwt-bearer` and `jwks-rsa` accept what the server issues.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UserInfoClient } from 'auth0';
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import jwt from 'jsonwebtoken';
import jwksClient from 'jwks-rsa';
import { listening } from './express-sample.js';
import {
  authentication,
  createApi,
  createApplication,
  createDirectory,
  createUser,
  domain,
  management,
  PASSWORD,
} from './tenant.js';

const issuer = `https://${domain}/`;

let api, application, user, token;

before(async () => {
  api = await createApi('resource-server');
  application = await createApplication('Resource server', { trusted: true });
  user = await createUser(await createDirectory('resource-server', [application]), 'reader');
  token = await accessToken('read:orders');
});

async function accessToken(scope) {
  const { data } = await authentication(application).oauth.passwordGrant({
    username: user.email,
    password: PASSWORD,
    audience: api.identifier,
    scope,
  });
  return data.access_token;
}

function orders() {
  const app = express();
  app.use(auth({ issuerBaseURL: issuer, audience: api.identifier }));
  app.get('/orders', requiredScopes('read:orders'), (req, res) => res.json({ of: req.auth.payload.sub }));
  app.post('/orders', requiredScopes('write:orders'), (req, res) => res.sendStatus(201));
  app.use((error, req, res, next) => (error.status ? res.sendStatus(error.status) : next(error)));
  return app;
}

function call(address, method, bearer) {
  return fetch(`${address}/orders`, { method, headers: bearer ? { authorization: `Bearer ${bearer}` } : {} });
}

test('express-oauth2-jwt-bearer lets the token through and holds it to its scope', async () => {
  await listening(orders(), async (address) => {
    const answer = await call(address, 'GET', token);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { of: user.user_id });

    assert.equal((await call(address, 'POST', token)).status, 403);
    assert.equal((await call(address, 'POST', await accessToken('write:orders'))).status, 201);
  });
});

test('express-oauth2-jwt-bearer turns away what the server did not sign', async () => {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, scope: 'read:orders write:orders' })).toString('base64url');
  await listening(orders(), async (address) => {
    assert.equal((await call(address, 'GET')).status, 401);
    assert.equal((await call(address, 'POST', `${header}.${forged}.${signature}`)).status, 401);
  });
});

test('jwks-rsa finds the key and jsonwebtoken verifies the claims', async () => {
  const keys = jwksClient({ jwksUri: `${issuer}.well-known/jwks.json` });
  const { header } = jwt.decode(token, { complete: true });
  const key = await keys.getSigningKey(header.kid);
  const claims = jwt.verify(token, key.getPublicKey(), {
    algorithms: ['RS256'],
    issuer,
    audience: api.identifier,
  });
  assert.equal(claims.sub, user.user_id);
  assert.equal(claims.azp, application.client_id);
  assert.equal(claims.gty, 'password');
  assert.equal(claims.scope, 'read:orders');
  assert.equal(claims.exp - claims.iat, 86400);
});

test('an API that shares a secret verifies with express-oauth2-jwt-bearer', async () => {
  const shared = await management.resourceServers.create({
    name: 'Orders of one secret',
    identifier: 'https://shared.example.com/orders',
    signing_alg: 'HS256',
    scopes: [{ value: 'read:orders' }],
  });
  const { data } = await authentication(application).oauth.passwordGrant({
    username: user.email,
    password: PASSWORD,
    audience: shared.identifier,
    scope: 'read:orders',
  });
  const app = express();
  app.use(auth({ issuer, audience: shared.identifier, secret: shared.signing_secret, tokenSigningAlg: 'HS256' }));
  app.get('/orders', (req, res) => res.json({ of: req.auth.payload.sub }));
  app.use((error, req, res, next) => (error.status ? res.sendStatus(error.status) : next(error)));
  await listening(app, async (address) => {
    assert.equal((await call(address, 'GET', data.access_token)).status, 200);
    assert.equal((await call(address, 'GET', token)).status, 401, 'a token signed with the key of the tenant');
  });
});

test('UserInfoClient tells who the bearer is, as far as the scope goes', async () => {
  const userinfo = new UserInfoClient({ domain });
  const bearer = await accessToken('openid email read:orders');
  const { data } = await userinfo.getUserInfo(bearer);
  assert.deepEqual(data, { sub: user.user_id, email: user.email, email_verified: true });
  await assert.rejects(userinfo.getUserInfo(await accessToken('read:orders')), (error) => error.statusCode === 401);
});
