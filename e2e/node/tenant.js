// What every suite needs in the tenant: an API, a directory, the applications, users.
// Made through the Management API with the official client alone, so that the set-up is a test as well.
import { randomUUID } from 'node:crypto';
import { AuthenticationClient, ManagementClient } from 'auth0';

export const domain = required('E2E_DOMAIN');
export const managementAudience = required('E2E_AUDIENCE');
export const administrator = {
  clientId: required('E2E_CLIENT_ID'),
  clientSecret: required('E2E_CLIENT_SECRET'),
};
export const PASSWORD = 'Correct-Horse-42';
export const WRONG_PASSWORD = 'wrong-horse';
export const PASSWORD_GRANTS = ['password', 'http://auth0.com/oauth/grant-type/password-realm'];
export const BLOCKED =
  "Your account has been blocked after multiple consecutive login attempts. We've sent you a notification via your preferred contact method with instructions on how to unblock it.";

export const management = new ManagementClient({ domain, ...administrator });

export async function createApi(suite) {
  return management.resourceServers.create({
    name: `Orders of ${suite}`,
    identifier: `https://${suite}.example.com/orders`,
    scopes: [
      { value: 'read:orders', description: 'See orders' },
      { value: 'write:orders', description: 'Change orders' },
    ],
  });
}

// A directory enabled for `clients`, and the tenant's default one from now on.
export async function createDirectory(suite, clients) {
  const connection = await management.connections.create({ name: `${suite}-users`, strategy: 'auth0' });
  await management.connections.clients.update(
    connection.id,
    clients.map((client) => ({ client_id: client.client_id, status: true })),
  );
  await management.tenants.settings.update({ default_directory: connection.name });
  return connection;
}

export async function createApplication(name, { trusted }) {
  return management.clients.create({
    name,
    app_type: 'regular_web',
    token_endpoint_auth_method: 'client_secret_post',
    is_token_endpoint_ip_header_trusted: trusted,
    grant_types: PASSWORD_GRANTS,
  });
}

export async function createUser(connection, name) {
  return management.users.create({
    connection: connection.name,
    email: `${name}-${randomUUID().slice(0, 8)}@example.com`,
    password: PASSWORD,
    email_verified: true,
  });
}

export function authentication(application) {
  return new AuthenticationClient({
    domain,
    clientId: application.client_id,
    clientSecret: application.client_secret,
  });
}

// The user's newest event of that type; the server has it on disk before it answers.
export async function newestEvent(type, userName) {
  const page = await management.logs.list({ per_page: 100, sort: 'date:-1' });
  return page.data.find((event) => event.type === type && event.user_name === userName);
}

function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is missing: run the suites through ./run`);
  }
  return value;
}
