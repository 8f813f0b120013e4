// Who opens the links of a mail in a real browser, scripts on: a scanner, which opens all of them and waits, and a person,
// who reads and presses the button.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const SCANS = 3;
// What a page might put off until the scanner seems gone.
const SCANNER_WAITS = '01:00:00';

export function launch() {
  return chromium.launch({
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
}

// A page of its own, without cookies; the pages may complain about nothing.
export async function open(browser, url, visit) {
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

// Opens every link, each several times: looks at it first as crawlers do, lets an hour of its timers go by,
// follows everything it links to, and asks for where its form goes. It presses nothing.
export async function scan(browser, links) {
  assert.notEqual(links.length, 0);
  for (const link of links) {
    for (let number = 0; number < SCANS; number += 1) await scanOne(browser, link);
  }
}

async function scanOne(browser, link) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: true });
  try {
    assert.equal((await context.request.head(link)).status(), 200);
    const page = await context.newPage();
    await page.clock.install();
    const sent = [];
    page.on('request', (request) => sent.push(request.method()));
    const answer = await page.goto(link, { waitUntil: 'networkidle' });
    assert.equal(answer.status(), 200);
    await page.mouse.move(200, 200);
    await page.clock.fastForward(SCANNER_WAITS);
    await page.waitForLoadState('networkidle');
    assert.equal(withoutFragment(page.url()), withoutFragment(link), 'the page sends nobody anywhere by itself');
    assert.deepEqual([...new Set(sent)], ['GET'], 'and sends no form');
    const further = await page.evaluate(() =>
      [...document.querySelectorAll('a[href], form[action]')].map((element) => element.href ?? element.action),
    );
    for (const address of new Set(further)) await context.request.get(address, { maxRedirects: 3 });
  } finally {
    await context.close();
  }
}

const withoutFragment = (url) => url.split('#')[0];

// Two pages with the same link: the person presses the button in one, and somebody later in the other, to no effect.
// Afterwards the link is no longer good.
export async function pressOnceAndAgain(browser, link, press, isDone) {
  await open(browser, link, async (late) => {
    await open(browser, link, async (page) => {
      await press(page);
      await isDone(page);
    });
    const refused = late.waitForResponse((response) => response.request().method() === 'POST');
    await press(late);
    assert.equal((await refused).status(), 404);
    await late.getByRole('heading', { name: 'This link is no longer good' }).waitFor();
  });
  await open(browser, link, (page, answer) => assert.equal(answer.status(), 404));
}
