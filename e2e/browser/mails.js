// Mails as the server sends them: taken from the outbox of the server under test, and opened like a mail is.
import assert from 'node:assert/strict';
import { setTimeout as later } from 'node:timers/promises';
import { domain } from '../node/tenant.js';

const COMES_WITHIN_MS = 15_000;

// The newest mail to that address with that in its subject; the server looks for mails once a second.
export async function mailTo(address, subject) {
  const deadline = Date.now() + COMES_WITHIN_MS;
  for (;;) {
    const outbox = await fetch(`https://${domain}/outbox.json`);
    assert.equal(outbox.status, 200);
    const mails = await outbox.json();
    const mail = mails.find((mail) => mail.to === address && subject.test(mail.subject));
    if (mail) return mail;
    assert.ok(Date.now() < deadline, `no mail to ${address} like ${subject}: ${mails.map((mail) => mail.subject)}`);
    await later(200);
  }
}

// Every address that a scanner finds in a mail: in its text, and in whatever element of its HTML has one.
export async function linksOf(mail, browser) {
  const context = await browser.newContext({ javaScriptEnabled: true });
  try {
    const page = await context.newPage();
    await page.setContent(mail.html);
    const found = await page.evaluate(() => {
      const named = [...document.querySelectorAll('[href], [src], [action]')];
      const addresses = named.flatMap((element) => [element.href, element.src, element.action]);
      return [...addresses, ...(document.body.innerText.match(/https?:\/\/[^\s<>"()]+/g) ?? [])];
    });
    const links = [...mail.links, ...found].filter((link) => typeof link === 'string' && /^https?:/.test(link));
    return [...new Set(links)];
  } finally {
    await context.close();
  }
}

// The one link of a mail that does something.
export function linkWithTicket(links) {
  const [link, ...others] = links.filter((link) => link.includes('ticket='));
  assert.ok(link, `a link with a ticket among ${links}`);
  assert.deepEqual(others, []);
  return link;
}
