import assert from "node:assert/strict";
import { test } from "node:test";
import { accountSid, addFactor, advance, createService, enrol, now, origin, refused, user, verify, walks } from "./world.mjs";

// scene is a service whose user has a verified phone.
async function scene() {
  const service = await createService();
  const phone = await enrol(service);
  const { challenges } = verify.services(service).entities(user);
  return { service, phone, factorSid: phone.factor.sid, challenges };
}

test("a challenge shows what it was made with", async () => {
  const { service, factorSid, challenges, phone } = await scene();
  const at = await now();
  const expirationDate = new Date(at.getTime() + 17 * 60 * 1000);
  const challenge = await challenges.create({
    factorSid,
    expirationDate,
    "details.message": "Sign in?\nFrom Zürich",
    "details.fields": [{ label: "Action", value: "Sign in & stay" }, JSON.stringify({ label: "Given", value: "as text" })],
    hiddenDetails: { ip: "172.168.1.234" },
  });
  const url = `${origin}/v2/Services/${service}/Entities/${user}/Challenges/${challenge.sid}`;
  assert.deepEqual(challenge.toJSON(), {
    sid: challenge.sid,
    accountSid,
    serviceSid: service,
    entitySid: phone.factor.entitySid,
    identity: user,
    factorSid,
    dateCreated: at,
    dateUpdated: at,
    dateResponded: null,
    expirationDate,
    status: "pending",
    respondedReason: "none",
    details: {
      message: "Sign in?\nFrom Zürich",
      fields: [{ label: "Action", value: "Sign in & stay" }, { label: "Given", value: "as text" }],
    },
    hiddenDetails: { ip: "172.168.1.234" },
    metadata: null,
    factorType: "totp",
    url,
    links: { notifications: `${url}/Notifications` },
  });
  assert.deepEqual((await challenges(challenge.sid).fetch()).toJSON(), challenge.toJSON());

  const given = await challenges.create({ factorSid, hiddenDetails: JSON.stringify({ ip: "172.168.1.234" }) });
  assert.deepEqual(given.hiddenDetails, { ip: "172.168.1.234" });
  assert.deepEqual(given.expirationDate, new Date(at.getTime() + 5 * 60 * 1000));
});

test("a challenge is answered by a code, which works once", async () => {
  const { phone, factorSid, challenges } = await scene();
  const { sid } = await challenges.create({ factorSid });
  const challenge = challenges(sid);
  assert.equal((await challenge.update({ authPayload: await phone.wrongCode() })).status, "pending");
  const noted = await challenge.update({ metadata: { os: "Android" } });
  assert.equal(noted.status, "pending");
  assert.deepEqual(noted.metadata, { os: "Android" });

  await advance(1);
  const authPayload = await phone.code();
  const approved = await challenge.update({ authPayload });
  assert.equal(approved.status, "approved");
  assert.deepEqual(approved.dateResponded, await now());
  assert.deepEqual(approved.metadata, { os: "Android" });
  await refused(challenge.update({ authPayload }), 403, 60322);
  assert.equal((await challenges.create({ factorSid, authPayload })).status, "pending");

  await advance(30);
  assert.equal((await challenges.create({ factorSid, authPayload: await phone.code() })).status, "approved");
  assert.equal((await challenges.create({ factorSid, authPayload: await phone.wrongCode() })).status, "pending");
});

test("a challenge ends after five wrong codes or five minutes", async () => {
  const { phone, factorSid, challenges } = await scene();
  const guessed = challenges((await challenges.create({ factorSid })).sid);
  for (let i = 0; i < 5; i++) {
    assert.equal((await guessed.update({ authPayload: await phone.wrongCode() })).status, "pending");
  }
  await refused(guessed.update({ authPayload: await phone.code() }), 429, 60308);

  const left = challenges((await challenges.create({ factorSid })).sid);
  await advance(300);
  await refused(left.update({ authPayload: await phone.code() }), 403, 60323);
  assert.equal((await left.fetch()).status, "expired");
});

test("challenges are listed", async () => {
  const { phone, factorSid, challenges } = await scene();
  const sids = [];
  for (let i = 0; i < 4; i++) {
    sids.push((await challenges.create({ factorSid })).sid);
  }
  sids.push((await challenges.create({ factorSid, authPayload: await phone.code() })).sid);
  await walks(challenges, sids);

  const found = async (filter) => (await challenges.list(filter)).map((challenge) => challenge.sid);
  assert.deepEqual(await found({ status: "approved" }), [sids[4]]);
  assert.deepEqual(await found({ status: "denied" }), []);
  assert.deepEqual(await found({ factorSid, order: "desc", pageSize: 2 }), sids.toReversed());
  assert.deepEqual(await found({ status: "pending", order: "desc", pageSize: 1, limit: 3 }), [sids[3], sids[2], sids[1]]);
  await refused(challenges.list({ status: "lost" }), 400, 60306);
  await refused(challenges.list({ order: "random" }), 400, 60306);
});

test("challenges are refused", async () => {
  const { service, phone, factorSid, challenges } = await scene();
  const unverified = (await addFactor(service)).factor.sid;
  await refused(challenges.create({ factorSid: unverified }), 403, 60318);
  await refused(challenges.create({ factorSid: "" }), 400, 20001);
  await refused(challenges.create({ factorSid: "YFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }), 404, 20404);
  const at = (await now()).getTime();
  for (const parameters of [
    { authPayload: "12345" },
    { expirationDate: new Date(at) },
    { expirationDate: new Date(at + 61 * 60 * 1000) },
    { hiddenDetails: "not JSON" },
    { hiddenDetails: { n: 1 } },
    { "details.fields": [{ label: "no value" }] },
  ]) {
    await refused(challenges.create({ factorSid, ...parameters }), 400, 60306);
  }
  const { sid } = await challenges.create({ factorSid });
  await refused(challenges(sid).update(), 400, 20001);
  await refused(challenges("YCaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").fetch(), 404, 20404);
  await refused(challenges("YCaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").update({ authPayload: await phone.code() }), 404, 20404);
});
