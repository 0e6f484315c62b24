import assert from "node:assert/strict";
import { test } from "node:test";
import { accountSid, addFactor, advance, createService, now, origin, refused, user, verify, walks } from "./world.mjs";

test("a new factor shows its secret", async () => {
  const service = await verify.services.create({ friendlyName: "Acme", "totp.issuer": "Acme & Co", "totp.timeStep": 45, "totp.skew": 0 });
  const { factor } = await addFactor(service.sid, { friendlyName: "John’s Account Name", metadata: { os: "Android" } });
  const entity = await verify.services(service.sid).entities(user).fetch(); // made with its first factor
  const at = await now();
  const { secret } = factor.binding;
  assert.deepEqual(factor.toJSON(), {
    sid: factor.sid,
    accountSid,
    serviceSid: service.sid,
    entitySid: entity.sid,
    identity: user,
    binding: {
      secret,
      uri: `otpauth://totp/Acme%20%26%20Co:John%E2%80%99s%20Account%20Name?secret=${secret}&issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=45`,
    },
    options: null,
    dateCreated: at,
    dateUpdated: at,
    friendlyName: "John’s Account Name",
    status: "unverified",
    factorType: "totp",
    config: { alg: "sha1", skew: 0, code_length: 6, time_step: 45 },
    metadata: { os: "Android" },
    url: `${origin}/v2/Services/${service.sid}/Entities/${user}/Factors/${factor.sid}`,
  });

  // What the caller says goes before what the service says.
  const given = {
    "binding.secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "config.alg": "sha512",
    "config.timeStep": 20,
    "config.skew": 2,
    "config.codeLength": 8,
    metadata: JSON.stringify({ os: "iOS" }),
  };
  const own = (await addFactor(service.sid, given)).factor;
  assert.equal(own.binding.secret, given["binding.secret"]);
  assert.deepEqual(own.config, { alg: "sha512", skew: 2, code_length: 8, time_step: 20 });
  assert.deepEqual(own.metadata, { os: "iOS" });
  await refused(addFactor(service.sid, given), 409, 60317);
});

test("a factor lives", async () => {
  const service = await createService();
  const created = (await addFactor(service)).factor;
  const factor = verify.services(service).entities(user).factors(created.sid);
  const fetched = await factor.fetch();
  const { binding, options, ...rest } = created.toJSON();
  assert.deepEqual(fetched.toJSON(), rest);

  await advance(1);
  const updated = await factor.update({
    friendlyName: "tablet",
    "config.alg": "sha256",
    "config.timeStep": 60,
    "config.skew": 0,
    "config.codeLength": 7,
  });
  assert.equal(updated.friendlyName, "tablet");
  assert.deepEqual(updated.config, { alg: "sha256", skew: 0, code_length: 7, time_step: 60 });
  assert.deepEqual(updated.dateUpdated, await now());

  assert.equal(await factor.remove(), true);
  await refused(factor.fetch(), 404, 20404);
  await refused(factor.update({ friendlyName: "phone" }), 404, 20404);
  await refused(factor.remove(), 404, 20404);
});

test("a factor is verified by a code", async () => {
  const service = await createService();
  const { factors } = verify.services(service).entities(user);
  const phone = await addFactor(service);
  const { sid } = phone.factor;
  await refused(factors(sid).update({ authPayload: "12345" }), 400, 60306);
  assert.equal((await factors(sid).update({ authPayload: await phone.wrongCode() })).status, "unverified");
  assert.equal((await factors(sid).update({ authPayload: await phone.code() })).status, "verified");

  const other = await addFactor(service);
  for (let i = 0; i < 5; i++) {
    assert.equal((await factors(other.factor.sid).update({ authPayload: await other.wrongCode() })).status, "unverified");
  }
  await refused(factors(other.factor.sid).update({ authPayload: await other.code() }), 429, 60310);
});

test("factors are listed", async () => {
  const service = await createService();
  const sids = [];
  for (let i = 0; i < 5; i++) {
    sids.push((await addFactor(service)).factor.sid);
  }
  await walks(verify.services(service).entities(user).factors, sids);
});

test("factors are refused", async () => {
  const service = await createService();
  for (const parameters of [
    { factorType: "fax" },
    { friendlyName: "x".repeat(65) },
    { "config.alg": "md5" },
    { "config.timeStep": 61 },
    { "config.skew": 3 },
    { "config.codeLength": 2 },
    { metadata: { n: 1 } },
    { metadata: "not JSON" },
  ]) {
    await refused(addFactor(service, parameters), 400, 60306);
  }
  await refused(addFactor(service, { factorType: "" }), 400, 20001);
  await refused(addFactor(service, { friendlyName: "" }), 400, 20001);
  await refused(addFactor(service, { "binding.secret": "short" }), 400, 60314);
  await refused(addFactor(service, { factorType: "push" }), 404, 20404); // not built yet
  await refused(addFactor("VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 404, 20404);
  await refused(verify.services(service).entities(user).factors.list(), 404, 20404);
});
