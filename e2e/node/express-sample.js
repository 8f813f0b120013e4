// A server-side application in the shape of the tutorial "Using Resource Owner Password from Server side":
// Express, npm `request` with `json: true`, one form that takes a username and a password.
// `sendAddress` is the one line the tutorial is about.
import express from 'express';
import request from 'request';

export function sample({ domain, clientId, clientSecret, audience, scope, sendAddress }) {
  const app = express();
  // The application's own proxy, here the test on loopback, says who the end user is.
  app.set('trust proxy', 'loopback');
  app.use(express.json());

  app.post('/login', (req, res, next) => {
    const call = {
      method: 'POST',
      url: `https://${domain}/oauth/token`,
      headers: sendAddress ? { 'auth0-forwarded-for': req.ip } : {},
      body: {
        grant_type: 'password',
        username: req.body.username,
        password: req.body.password,
        audience,
        scope,
        client_id: clientId,
        client_secret: clientSecret,
      },
      json: true,
    };
    request(call, (error, response, body) => {
      if (error) {
        next(error);
        return;
      }
      res.status(response.statusCode).json(body);
    });
  });

  return app;
}

// Serves `app` on a free loopback port while `use` runs with its address.
export async function listening(app, use) {
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
