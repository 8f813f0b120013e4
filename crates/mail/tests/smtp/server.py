"""An SMTP server for the tests, on aiosmtpd: it takes mail, or fails in a way of its choice.

It prints `ready PORT` once it listens, and then one JSON line for each mail it took responsibility for and for each
transaction it let fail. Arguments: the security (none, starttls, tls), the certificate and key, and the behaviours of
the transactions in turn, the last of which stays.
"""
import asyncio
import json
import logging
import os
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# What fails here fails on purpose.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

USER, PASSWORD = b"shop", b"correct horse"


def say(event):
    print(json.dumps(event), flush=True)


class Handler:
    def __init__(self, behaviours):
        self.behaviours = behaviours

    def behaviour(self):
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.now = self.behaviour()
        if self.now == "hang":
            say({"failed": "hang"})
            await asyncio.sleep(3600)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.now[0] in "45":
            say({"failed": self.now})
            return f"{self.now} no\tmailbox for {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode(),
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "user": getattr(session, "auth_data", None),
        }
        if self.now.startswith("data"):
            say({"failed": self.now})
            return self.now.removeprefix("data") + " not this text"
        say({"mail": mail})
        if self.now == "drop":
            # The mail is taken, but the sender does not learn it.
            server.transport.abort()
            return "250 never heard"
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    if (data.login, data.password) == (USER, PASSWORD):
        return AuthResult(success=True, auth_data=data.login.decode())
    # A bad server that repeats what it was sent.
    return AuthResult(success=False, handled=False, message=f"535 no: {data.password.decode()}")


async def main():
    security, certificate, key, *behaviours = sys.argv[1:]
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    handler = Handler(behaviours)

    def session():
        return SMTP(
            handler,
            hostname="mail.example.com",
            enable_SMTPUTF8=False,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=security != "none",
            auth_require_tls=security == "starttls",
            authenticator=authenticate,
        )

    implicit = context if security == "tls" else None
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=implicit)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    # The test holds the other end; when it goes, so does this server.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main())
