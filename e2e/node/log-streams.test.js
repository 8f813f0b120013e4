// npm `auth0` 6.x, unchanged: its Management client manages log streams and reads the log; what a stream sends is what the
// log says. `auth0/legacy` reads the log by checkpoint.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ManagementClient as LegacyManagementClient } from 'auth0/legacy';
import {
  administrator,
  authentication,
  createApplication,
  createDirectory,
  createUser,
  domain,
  management,
  WRONG_PASSWORD,
} from './tenant.js';

const AUTHORIZATION = 'Bearer a-siem-token';
const received = [];
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  received.push({ headers: request.headers, body });
  response.writeHead(204).end();
});
let url;
before(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${receiver.address().port}/in`;
});
after(() => receiver.close());

describe('log streams', () => {
  let stream;

  test('are made, listed, read and changed', async () => {
    const sink = {
      httpEndpoint: url,
      httpContentFormat: 'JSONARRAY',
      httpContentType: 'application/json',
      httpAuthorization: AUTHORIZATION,
      httpCustomHeaders: [{ header: 'X-Shop', value: 'corner' }],
    };
    const filters = [{ type: 'category', name: 'auth.login.fail' }];
    stream = await management.logStreams.create({ name: 'SIEM of npm', type: 'http', sink, filters });
    assert.match(stream.id, /^lst_[0-9]{16}$/);
    assert.deepEqual(stream, { id: stream.id, name: 'SIEM of npm', type: 'http', status: 'active', sink, filters, isPriority: false });
    assert.deepEqual(await management.logStreams.get(stream.id), stream);
    assert.deepEqual((await management.logStreams.list()).find(({ id }) => id === stream.id), stream);
    const paused = await management.logStreams.update(stream.id, { status: 'paused', name: 'Paused' });
    assert.deepEqual(paused, { ...stream, status: 'paused', name: 'Paused' });
    assert.deepEqual(await management.logStreams.update(stream.id, { status: 'active', name: 'SIEM of npm' }), stream);
  });

  test('refuse what is not built', async () => {
    const sink = { datadogRegion: 'eu', datadogApiKey: 'x' };
    await assert.rejects(management.logStreams.create({ name: 'x', type: 'datadog', sink }), { statusCode: 400 });
    const masked = { pii_config: { log_fields: ['email'], method: 'mask' } };
    await assert.rejects(management.logStreams.update(stream.id, masked), (error) => {
      assert.match(error.body.message, /pii_config/);
      return error.statusCode === 400;
    });
    await assert.rejects(management.logStreams.get('lst_0000000000000000'), { statusCode: 404 });
  });

  test('send what the log says', async () => {
    const application = await createApplication('Backend of streams', { trusted: true });
    const user = await createUser(await createDirectory('streams', [application]), 'ana');
    const login = authentication(application).oauth.passwordGrant(
      { username: user.email, password: WRONG_PASSWORD },
      { initOverrides: { headers: { 'auth0-forwarded-for': '203.0.113.77' } } },
    );
    await assert.rejects(login, { statusCode: 403 });
    const events = () => received.flatMap(({ body }) => JSON.parse(body));
    const deadline = Date.now() + 40_000;
    while (!events().some(({ data }) => data.user_name === user.email)) {
      assert.ok(Date.now() < deadline, 'the event did not arrive');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const sent = events().find(({ data }) => data.user_name === user.email);
    const logged = await management.logs.get(sent.log_id);
    for (const member of ['log_id', 'type', 'date', 'ip', 'description', 'client_id', 'connection']) {
      assert.equal(sent.data[member], logged[member], member);
    }
    assert.deepEqual([logged.type, logged.ip], ['fp', '203.0.113.77']);
    const { headers } = received[0];
    assert.deepEqual([headers.authorization, headers['x-shop']], [AUTHORIZATION, 'corner']);
    assert.match(headers['x-portcullis-batch'], /^[0-9a-f]{32}$/);
  });

  test('are removed', async () => {
    await management.logStreams.delete(stream.id);
    await management.logStreams.delete(stream.id);
    assert.ok(!(await management.logStreams.list()).some(({ id }) => id === stream.id));
  });
});

test('the log is read by checkpoint from the first event to the newest that is settled', async () => {
  const { logs } = new LegacyManagementClient({ domain, ...administrator });
  const ids = [];
  for (;;) {
    const { data } = await logs.getAll({ take: 7, from: ids.at(-1) ?? '' });
    ids.push(...data.map(({ log_id }) => log_id));
    if (data.length === 0) break;
  }
  assert.ok(ids.length > 7);
  assert.deepEqual(ids, [...new Set(ids)].sort());
});
