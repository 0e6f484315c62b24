// What the tests share: twilio-node pointed at the handler, and the hands of the
// Go test that runs them (see node_test.go), which holds the clock and the app.
import assert from "node:assert/strict";
import twilio from "twilio";

const env = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: these tests are run by go test -run TestContract in the folder above`);
  return value;
};

export const origin = env("VERIFY_URL");
export const accountSid = env("VERIFY_ACCOUNT_SID");
const authToken = env("VERIFY_AUTH_TOKEN");
const control = env("CONTROL_URL");

// connect is the SDK with these credentials.
export function connect(username = accountSid, password = authToken) {
  const client = twilio(username, password, { accountSid });
  client.verify.baseUrl = origin;
  return client.verify.v2;
}

export const verify = connect();

async function ask(method, path, parameters) {
  const response = await fetch(`${control}/test/${path}?${new URLSearchParams(parameters)}`, { method });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text}`);
  return text;
}

// advance moves the handler's clock, which stands still otherwise.
export const advance = (seconds) => ask("POST", "advance", { seconds });
export const now = async () => new Date(await ask("GET", "now", {}));

export const user = "ff483d1ff591898a9942916050d2ca3f";

// A phone is a factor together with the app that shows its codes.
export async function addFactor(service, parameters = {}) {
  const factor = await verify.services(service).entities(user).newFactors.create({
    friendlyName: "ann's phone",
    factorType: "totp",
    ...parameters,
  });
  return {
    factor,
    code: () => ask("GET", "code", { uri: factor.binding.uri }),
    wrongCode: () => ask("GET", "wrong", { uri: factor.binding.uri }),
  };
}

// enrol makes a factor and verifies it; its next code is fresh again.
export async function enrol(service) {
  const phone = await addFactor(service);
  const factor = await verify.services(service).entities(user).factors(phone.factor.sid).update({ authPayload: await phone.code() });
  assert.equal(factor.status, "verified");
  await advance(30);
  return phone;
}

export const createService = async (friendlyName = "Acme") => (await verify.services.create({ friendlyName })).sid;

// refused checks that a call fails as Twilio would fail it.
export function refused(promise, status, code) {
  return assert.rejects(promise, (error) => {
    assert.equal(error.constructor.name, "RestException", error);
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    assert.equal(error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    assert.equal(error.details, undefined);
    return true;
  });
}

// walks checks the ways in which the SDK walks a list: list() and each() over
// several pages with a limit and without, and page by page to the end and back.
export async function walks(list, want) {
  const sids = (items) => items.map((item) => item.sid);
  assert.deepEqual(sids(await list.list()), want);
  assert.deepEqual(sids(await list.list({ pageSize: 2 })), want);
  assert.deepEqual(sids(await list.list({ pageSize: 2, limit: 3 })), want.slice(0, 3));
  assert.deepEqual(sids(await list.list({ limit: 2 })), want.slice(0, 2));

  const each = async (parameters) => {
    const seen = [];
    await list.each(parameters, (item) => seen.push(item.sid));
    return seen;
  };
  assert.deepEqual(await each({ pageSize: 2 }), want);
  assert.deepEqual(await each({ pageSize: 2, limit: 3 }), want.slice(0, 3));

  let page = await list.page({ pageSize: 2 });
  assert.equal(page.previousPageUrl, undefined);
  let from = 0;
  for (; page.nextPageUrl; page = await page.nextPage(), from += 2) {
    assert.deepEqual(sids(page.instances), want.slice(from, from + 2));
  }
  assert.deepEqual(sids(page.instances), want.slice(from));
  assert.equal(await page.nextPage(), undefined);
  assert.ok(from >= 2, "a single page");
  while (page.previousPageUrl) {
    page = await page.previousPage();
    from -= 2;
    assert.deepEqual(sids(page.instances), want.slice(from, from + 2));
  }
  assert.equal(from, 0);
  const again = await list.getPage(page.nextPageUrl);
  assert.deepEqual(sids(again.instances), want.slice(2, 4));

  // Given a limit alone the SDK asks for pages of that size, however large.
  assert.deepEqual(sids(await list.list({ limit: 5000 })), want);
  await refused(list.page({ pageSize: -1 }), 400, 60306);
  await refused(list.page({ pageToken: "nonsense" }), 400, 60306);
}
