// One visit as Lighthouse sees it on a mobile phone: the form at a link, and the thanks after it was sent.
// `node measure.mjs CHROMIUM LINK` prints a line of JSON.
import puppeteer from 'puppeteer-core';
import { startFlow } from 'lighthouse';

const [executablePath, link] = process.argv.slice(2);
const flags = { onlyCategories: ['performance', 'accessibility', 'best-practices'] };
const browser = await puppeteer.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await browser.newPage();
  const flow = await startFlow(page, { flags });
  await flow.navigate(link);
  await flow.navigate(() => page.evaluate(() => {
    document.querySelector('input[type=radio]').checked = true;
    document.querySelector('form').submit();
  }));
  const { steps } = await flow.createFlowResult();
  console.log(JSON.stringify(steps.map(({ lhr }) => ({
    status: lhr.audits['network-requests'].details.items[0].statusCode,
    requests: lhr.audits['network-requests'].details.items.filter((one) => one.url.startsWith('http')).length,
    paint: lhr.audits['first-contentful-paint'].numericValue / 1000,
    ...Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, Math.round(score * 100)])),
    missed: Object.values(lhr.audits).filter((one) => one.score !== null && one.score < 1).map((one) => one.id),
  }))));
} finally {
  await browser.close();
}
